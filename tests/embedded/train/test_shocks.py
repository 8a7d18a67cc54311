"""Disturbed controls of training: something is wrong for a moment, and the picture to reach is not."""

from __future__ import annotations

import numpy as np
import pytest

from streamvace.embedded.train import data, shocks
from streamvace.embedded.train.photographs import Bytes
from streamvace.embedded.train.shocks import LONGEST, SHOCKS, disturbed

FRAMES = 24


def ramp() -> Bytes:
    """A control whose frames all differ, 20..158."""
    levels = 20 + 6 * np.arange(FRAMES, dtype=np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (FRAMES, 16, 16, 3)).copy()


def changed(name: str, seed: int) -> Bytes:
    given = ramp()
    out = SHOCKS[name].apply(given, np.random.default_rng(seed))
    assert (given == ramp()).all(), "the clip itself is never written to"
    assert out.shape == given.shape
    assert out.dtype == np.uint8
    return out


@pytest.mark.parametrize("name", SHOCKS)
def test_every_shock_changes_the_control(name: str) -> None:
    assert any((changed(name, seed) != ramp()).any() for seed in range(8))


@pytest.mark.parametrize("name", ["flash", "dark"])
def test_a_flash_and_darkness_last_one_to_three_frames(name: str) -> None:
    lengths = {int((changed(name, seed) != ramp()).any((1, 2, 3)).sum()) for seed in range(60)}
    assert lengths == set(range(1, LONGEST + 1))


def test_a_flash_is_brighter_and_darkness_is_black() -> None:
    for seed in range(20):
        bright = changed("flash", seed)
        assert (bright.astype(int) >= ramp()).all()
        dark = changed("dark", seed)
        assert not dark[(dark != ramp()).any((1, 2, 3))].any()


def test_a_strobe_comes_again_and_again() -> None:
    for seed in range(20):
        at = np.flatnonzero((changed("strobe", seed) != ramp()).any((1, 2, 3)))
        assert len(at) >= 1
        assert len(set(np.diff(at))) <= 1, "it keeps its period"
        assert at[-1] >= FRAMES - 12, "it goes on to the end of the clip"


@pytest.mark.parametrize("name", ["frozen", "dropped"])
def test_a_late_source_shows_frames_of_its_own_past_only(name: str) -> None:
    for seed in range(20):
        shown, true = changed(name, seed)[:, 0, 0, 0].astype(int), ramp()[:, 0, 0, 0].astype(int)
        assert set(shown) <= set(true)
        assert (shown <= true).all()


def test_only_a_control_of_the_whole_picture_is_disturbed_and_only_at_times(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = np.full((FRAMES, 16, 16), 255, np.uint8)
    share = np.mean([(disturbed(ramp(), everything, np.random.default_rng(s)) != ramp()).any() for s in range(400)])
    assert abs(share - shocks.SHOCK_SHARE) < 0.08
    partly = everything.copy()
    partly[:, 0, 0] = 0
    monkeypatch.setattr(shocks, "SHOCK_SHARE", 1.0)
    for seed in range(20):
        assert (disturbed(ramp(), partly, np.random.default_rng(seed)) == ramp()).all(), "kept pixels are a picture"


def test_a_disturbed_sample_still_asks_for_the_undisturbed_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    def samples() -> list[data.Sample]:
        return [data.make_sample(np.random.default_rng(seed), 8, 0.15, None) for seed in range(6)]

    monkeypatch.setattr(data, "disturbed", lambda control, mask, rng: control)
    calm = samples()
    monkeypatch.setattr(data, "disturbed", lambda control, mask, rng: 255 - control)
    shocked = samples()
    for before, after in zip(calm, shocked, strict=True):
        assert (before.video == after.video).all()
        assert before.words == after.words
    assert any((before.control != after.control).any() for before, after in zip(calm, shocked, strict=True))
