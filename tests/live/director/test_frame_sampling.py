"""What the control timings promise: which moments a chunk follows, and motion that goes on where it was going."""

from __future__ import annotations

import numpy as np
import pytest

from streamvace.live.director.frame_sampling import ControlTiming, _arrived, extrapolate, sample
from streamvace.live.inputs.frame_ring import FrameRing
from streamvace.records.chunk import Pixels
from tests.live.show import frame

MS = 1_000_000
SIDE = 128


def disc(x: float, y: float, radius: float = 14) -> Pixels:
    """uint8 `[H, W, 4]`: a soft bright disc with a pattern, on dark; alpha as bright."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    inside = np.clip(radius - np.hypot(columns - x, rows - y), 0, 1)
    grain = 170 + 60 * np.sin((columns - x) * 0.7) * np.cos((rows - y) * 0.5)
    return np.repeat((20 + inside * (grain - 20)).astype(np.uint8)[..., None], 4, axis=-1)


def centre(picture: Pixels) -> tuple[float, float]:
    weight = np.clip(picture[..., 0].astype(float) - 60, 0, None)
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    return float((weight * columns).sum() / weight.sum()), float((weight * rows).sum() / weight.sum())


def test_smooth_spreads_over_what_came_since_and_instant_takes_the_newest() -> None:
    ring = FrameRing()
    for i in range(24):
        ring.push(frame(i * 10 * MS, sequence=i))
    smooth = [each.sequence for each in sample(ring, 12, 110 * MS, ControlTiming.SMOOTH)]
    assert smooth == list(range(12, 24))
    for timing in (ControlTiming.INSTANT, ControlTiming.AHEAD):
        assert [each.sequence for each in sample(ring, 12, 110 * MS, timing)] == [23] * 12


@pytest.mark.parametrize("timing", list(ControlTiming))
def test_before_the_first_picture_there_is_none(timing: ControlTiming) -> None:
    assert sample(FrameRing(), 12, 0, timing) == []


def test_what_moves_goes_on_at_its_speed_and_what_stands_stays() -> None:
    pictures = extrapolate(disc(50, 60), disc(56, 60), 0.1, [0.0, 0.1, 0.2])
    at = [centre(picture) for picture in pictures]
    assert at[0] == pytest.approx((56, 60), abs=0.3)
    assert at[1] == pytest.approx((62, 60), abs=1.5)
    assert at[2] == pytest.approx((68, 60), abs=2.5)
    still = disc(50, 60)
    assert all((picture == still).all() for picture in extrapolate(still, still, 0.1, [0.0, 0.3]))


def test_it_is_nearer_to_what_came_true_than_holding_is() -> None:
    truth, newest = disc(62, 55), disc(56, 57.5)
    (guess,) = extrapolate(disc(50, 60), newest, 0.1, [0.1])
    error = [float(np.abs(each.astype(int) - truth).mean()) for each in (guess, newest)]
    assert error[0] < 0.6 * error[1]


def test_a_guess_ends_after_half_a_second() -> None:
    pictures = extrapolate(disc(50, 60), disc(54, 60), 0.1, [0.5, 5.0])
    assert (pictures[0] == pictures[1]).all()


@pytest.mark.parametrize(("fast", "slow"), [(8.0, -2.0), (-8.0, 2.0)])
def test_where_two_things_arrive_the_faster_one_is_on_top(fast: float, slow: float) -> None:
    """Both land on column 8, whichever comes first in the picture."""
    by = np.zeros((16, 17, 2), np.float32)
    for speed in (fast, slow):
        by[4, 8 - int(speed), 0] = speed
    assert _arrived(by)[4, 8].tolist() == [fast, 0]


def test_one_frame_alone_is_held() -> None:
    assert (extrapolate(disc(50, 60), disc(60, 60), 0.0, [0.0, 0.1]) == disc(60, 60)).all()


@pytest.mark.parametrize("size", [(832, 96), (64, 64), (64, 1024), (1920, 64), (832, 480)])
def test_any_shape_goes_through(size: tuple[int, int]) -> None:
    width, height = size
    before = np.zeros((height, width, 4), np.uint8)
    moved = before.copy()
    moved[:, 30:] = 255
    assert extrapolate(before, moved, 0.1, [0.0, 0.1, 0.2]).shape == (3, height, width, 4)
