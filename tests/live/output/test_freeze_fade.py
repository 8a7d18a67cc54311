"""Freeze-and-fade: the picture itself at first, later a soft one that is made once."""

from __future__ import annotations

import numpy as np
import pytest

from streamvace.live.output.freeze_fade import FreezeFade


@pytest.fixture
def held() -> np.ndarray:
    picture = np.random.default_rng(3).integers(0, 256, (48, 64, 4), dtype=np.uint8)
    picture[..., 3] = 90
    return picture


def test_an_ordinary_late_chunk_is_held_untouched(held: np.ndarray) -> None:
    assert FreezeFade().picture(held, 0.4) is held


def test_the_end_is_one_soft_picture_that_is_made_once(held: np.ndarray) -> None:
    fade = FreezeFade()
    soft = fade.picture(held, 10)
    assert fade.picture(held, 11) is soft
    assert soft[..., :3].std() < 0.4 * held[..., :3].std()
    assert soft[..., :3].mean() == pytest.approx(held[..., :3].mean(), abs=4)
    assert (soft[..., 3] == 90).all()


def test_another_picture_gets_its_own_soft_copy(held: np.ndarray) -> None:
    fade = FreezeFade()
    fade.picture(held, 10)
    other = np.full_like(held, 7)
    assert (fade.picture(other, 10) == 7).all()


def test_the_held_picture_itself_is_never_written(held: np.ndarray) -> None:
    before = held.copy()
    fade = FreezeFade()
    for tenths in range(40):
        fade.picture(held, tenths / 10)
    assert (held == before).all()
