"""The trail of earlier pictures."""

from __future__ import annotations

import numpy as np
import pytest

from streamvace.effects.trail import Trail
from tests.effects.pictures import flat, noise


def test_after_its_time_half_of_the_earlier_picture_is_left() -> None:
    trail = Trail()
    trail(flat(200), 0.5, 0.0)
    assert (trail(flat(100), 0.5, 0.5)[..., :3] == 150).all()
    assert (trail(flat(100), 0.5, 0.5)[..., :3] == 125).all()


@pytest.mark.parametrize("rate", [24, 60, 120])
def test_it_is_equally_long_at_every_output_rate(rate: int) -> None:
    trail = Trail()
    trail(flat(240), 0.5, 0.0)
    for _ in range(rate):
        left = trail(flat(0), 0.5, 1 / rate)
    assert (left[..., :3] == 60).all(), "a second is twice the half-life"


def test_it_is_the_running_mean_of_all_pictures() -> None:
    trail, mean = Trail(), noise(seed=0).astype(np.float64)
    trail(noise(seed=0), 0.1, 0.0)
    for seed in range(1, 6):
        done = trail(noise(seed=seed), 0.1, 0.04)
        mean += (noise(seed=seed) - mean) * (1 - 0.5 ** (0.04 / 0.1))
        assert np.abs(done - mean).max() <= 0.51


def test_no_ghost_stays_for_ever() -> None:
    trail = Trail()
    trail(flat(255), 1.0, 0.0)
    for _ in range(60 * 20):
        left = trail(flat(0, alpha=0), 1.0, 1 / 60)
    assert not left.any()


def test_it_begins_anew_when_it_forgets_and_for_another_size() -> None:
    trail = Trail()
    trail(flat(255), 1.0, 0.0)
    trail.forget()
    assert (trail(flat(10), 1.0, 0.01) == flat(10)).all()
    other = noise()
    assert trail(other, 1.0, 0.01) is other
