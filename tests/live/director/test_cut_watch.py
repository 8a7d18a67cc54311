"""Cuts in the control are found once and in time; motion, flashes, light and noise are no cuts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.live.director.cut_watch import CutWatch
from streamvace.records.chunk import Pixels
from streamvace.records.frame import Frame
from streamvace.world.scene import edges, render, sample_scene
from streamvace.world.styles import compose, sample_look

PERIOD_NS = 41_666_667
WHITE, BLACK = (np.full((64, 64, 4), level, np.uint8) for level in (255, 0))


def scene(number: int, count: int, kind: str = "colour") -> list[Pixels]:
    """Frames of a drawn scene at 24 pictures a second, or its control."""
    rng = np.random.default_rng(number)
    drawn = sample_scene(rng)
    look = sample_look(rng, len(drawn.bodies))
    pictures = []
    for index in range(count):
        maps = render(drawn, 2 + index / 24, (64, 64))
        plane = maps[1] if kind == "depth" else edges(maps, 2)
        colours = compose(maps, look) if kind == "colour" else np.repeat(plane[..., None], 3, 2)
        pictures.append(np.dstack((colours, np.full((64, 64), 255, np.uint8))))
    return pictures


def cuts(pictures: Sequence[Pixels], chunk: int = 12, period_ns: int = PERIOD_NS) -> list[tuple[int, int]]:
    """(number of the chunk, index in it) of every cut found."""
    watch = CutWatch()
    frames = [Frame(picture, index * period_ns, "test", index) for index, picture in enumerate(pictures)]
    found = []
    for number in range(0, len(frames), chunk):
        place = watch.look(frames[number : number + chunk])
        if place is not None:
            found.append((number // chunk, place))
    return found


@pytest.mark.parametrize("kind", ["colour", "depth", "edges"])
@pytest.mark.parametrize("number", range(4))
def test_a_cut_between_scenes_is_found_at_its_frame_and_motion_is_none(kind: str, number: int) -> None:
    film = scene(number, 17, kind) + scene(number + 50, 31, kind)
    assert cuts(film) == [(1, 5)]


def test_a_cut_near_the_end_of_a_chunk_is_known_in_the_next_one() -> None:
    assert cuts(scene(1, 10) + scene(2, 26)) == [(1, 0)]


def test_a_cut_to_a_still_picture_that_never_changes_again_is_found() -> None:
    watch, first, second = CutWatch(), scene(1, 11), scene(2, 1)
    frames = [Frame(picture, index * PERIOD_NS, "test", index) for index, picture in enumerate(first + second)]
    assert watch.look(frames) is None
    assert watch.look(frames[-1:] * 12) == 0
    assert watch.look(frames[-1:] * 12) is None


@pytest.mark.parametrize("flash", [WHITE, BLACK])
@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("start", [4, 10, 11])
def test_a_change_that_comes_back_within_three_frames_is_a_flash(flash: Pixels, length: int, start: int) -> None:
    film = scene(3, 48)
    film[start : start + length] = [flash] * length
    assert cuts(film) == []


def test_a_strobe_is_no_cut() -> None:
    film = scene(3, 48)
    film[::4] = [WHITE] * len(film[::4])
    assert cuts(film) == []


def test_a_change_of_light_is_no_cut_and_neither_is_noise_on_black() -> None:
    bright = scene(4, 24)
    dimmed = [np.minimum(picture, 255) // 2 for picture in bright]
    assert cuts(bright[:12] + dimmed[12:]) == []
    noise = np.random.default_rng(5)
    assert cuts([noise.integers(0, 6, (64, 64, 4)).astype(np.uint8) for _ in range(36)]) == []


def test_fast_motion_at_few_pictures_a_second_is_no_cut() -> None:
    assert cuts(scene(0, 120)[::5], chunk=6, period_ns=5 * PERIOD_NS) == []


def test_cuts_within_a_second_of_one_are_ignored_and_later_ones_count() -> None:
    film = scene(1, 12) + scene(2, 12) + scene(3, 18) + scene(4, 18)
    assert cuts(film) == [(1, 0), (3, 6)]


@given(st.lists(st.sampled_from([0, 1, 2, 3]), min_size=1, max_size=40), st.integers(1, 13))
def test_the_chunking_changes_when_a_cut_is_known_but_not_which_are_found(pattern: list[int], chunk: int) -> None:
    pictures = [SHORT[number][index % 4] for index, number in enumerate(pattern)]
    alone, together = CutWatch(), CutWatch()
    frames = [Frame(picture, index * PERIOD_NS, "test", index) for index, picture in enumerate(pictures)]
    one_by_one = [alone.cut_ns for frame in frames if alone.look([frame]) is not None]
    in_chunks = [
        together.cut_ns for at in range(0, len(frames), chunk) if together.look(frames[at : at + chunk]) is not None
    ]
    assert in_chunks == one_by_one
    assert all(later - sooner >= 1_000_000_000 for sooner, later in pairwise(in_chunks))


SHORT = [scene(number, 4) for number in (1, 2, 3)] + [[WHITE] * 4]
