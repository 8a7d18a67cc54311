"""Pictures by time: a render pairs its inputs as a live show does, whatever their frame rates."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.live.inputs.frame_ring import FrameRing
from streamvace.live.offline.timeline import TIE_S, Shown, Timeline, looped
from streamvace.system.errors import UserError
from tests.live.show import frame

GRID_S = 0.005
"""Times of the tests are multiples of this: of two different distances one is then clearly the shorter."""


def film(starts: list[float]) -> Iterator[Shown]:
    """Picture `i` is grey of `i` and lasts until the next one."""
    ends = [*starts[1:], starts[-1] + 0.1]
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        yield start, end - start, np.full((1, 1, 4), number, np.uint8)


def paired(starts: list[float], moments: list[float]) -> list[int]:
    """The numbers of the pictures that a film with these starts shows at the moments."""
    return [int(number) for number in Timeline(film(starts), "film").at(moments)[:, 0, 0, 0]]


times = st.lists(st.integers(0, 400), min_size=1, max_size=60, unique=True).map(sorted)
"""Starts of a film of variable frame rate, in steps of GRID_S."""


@given(times, st.lists(st.integers(0, 450), min_size=1, max_size=40).map(sorted))
def test_offline_and_live_pair_the_same_frames_and_an_oracle_agrees(starts: list[int], moments: list[int]) -> None:
    ring = FrameRing()
    for number, start in enumerate(starts):
        ring.push(frame(round(start * GRID_S * 1e9), sequence=number))
    live = [each.sequence for each in ring.nearest([round(moment * GRID_S * 1e9) for moment in moments])]
    oracle = [min(range(len(starts)), key=lambda i: (abs(starts[i] - moment), starts[i])) for moment in moments]
    assert live == oracle
    assert paired([start * GRID_S for start in starts], [moment * GRID_S for moment in moments]) == oracle


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=40, unique=True).map(sorted),
    st.lists(st.floats(0, 1.2), min_size=1, max_size=30).map(sorted),
)
def test_times_off_any_grid_give_the_nearest_picture_or_one_that_is_as_near(
    starts: list[float], moments: list[float]
) -> None:
    for number, moment in zip(paired(starts, moments), moments, strict=True):
        assert abs(starts[number] - moment) <= min(abs(start - moment) for start in starts) + TIE_S


@given(times, st.lists(st.integers(0, 450), min_size=2, max_size=40).map(sorted), st.integers(1, 39))
def test_it_makes_no_difference_how_the_moments_are_split_into_chunks(
    starts: list[int], moments: list[int], cut: int
) -> None:
    seconds = [moment * GRID_S for moment in moments]
    parts = [part for part in (seconds[:cut], seconds[cut:]) if part]
    timeline = Timeline(film([start * GRID_S for start in starts]), "film")
    split = [int(number) for part in parts for number in timeline.at(part)[:, 0, 0, 0]]
    assert split == paired([start * GRID_S for start in starts], seconds)


@pytest.mark.parametrize("digits", [3, 9])
def test_half_the_rate_shows_every_picture_twice_even_if_times_are_rounded_to_milliseconds(digits: int) -> None:
    masks = [round(number / 15, digits) for number in range(30)]
    clip = [round(number / 30, digits) for number in range(60)]
    assert paired(masks, clip) == [number // 2 for number in range(60)]


def test_a_film_in_a_loop_goes_on_where_it_ended_and_pictures_keep_their_length() -> None:
    shown = list(islice(looped(lambda: film([0.0, 0.1, 0.4])), 7))
    assert [round(start, 6) for start, _, _ in shown] == [0.0, 0.1, 0.4, 0.5, 0.6, 0.9, 1.0]
    assert [int(picture[0, 0, 0]) for _, _, picture in shown] == [0, 1, 2, 0, 1, 2, 0]
    assert all(start + duration == pytest.approx(after) for (start, duration, _), (after, _, _) in pairwise(shown))


def test_a_film_without_a_picture_is_refused_by_its_name() -> None:
    nothing: list[Shown] = []
    with pytest.raises(UserError, match=r"mask\.mp4 contains no frame"):
        Timeline(looped(lambda: iter(nothing)), "mask.mp4")
