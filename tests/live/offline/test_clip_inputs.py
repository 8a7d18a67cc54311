"""The inputs of a render: the clip frame by frame, and every other role at the same presentation times."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from streamvace.control.parameters import Parameters
from streamvace.live.offline.clip_inputs import ClipInputs
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.video.film.source import clip_info
from streamvace.video.film.writer import VideoWriter
from tests.video.helpers import shade, shade_index

SIZE = (64, 48)
RATE = 12


def film(path: Path, indices: range | list[int], rate: float = RATE) -> Path:
    """A film whose frame at `index / rate` seconds is grey of `shade(index)`."""
    with VideoWriter(path, SIZE, rate) as writer:
        for index in indices:
            writer.write(np.full((SIZE[1], SIZE[0], 3), shade(index), np.uint8), index)
    return path


def inputs(clip: Path, second: str, mask: Path | None = None) -> ClipInputs:
    snapshot = Parameters({"/streamvace/input/second": second}).snapshot()
    return ClipInputs(clip, mask, snapshot, MediaFolder(clip.parent), SIZE, clip_info(clip).rate, None)


def numbers(pictures: NDArray[np.uint8] | None) -> list[int]:
    assert pictures is not None
    return [shade_index(picture) for picture in pictures]


def test_a_role_at_half_the_clips_rate_plays_at_its_own_speed(tmp_path: Path) -> None:
    film(tmp_path / "slow.mp4", range(6), RATE / 2)
    taken = inputs(film(tmp_path / "clip.mp4", range(10)), "slow.mp4", mask=tmp_path / "slow.mp4").take(12)
    assert numbers(taken.pictures.control) == [*range(10), 9, 9]
    assert taken.real == 10
    assert taken.moments == pytest.approx([number / RATE for number in range(12)])
    for role in (taken.pictures.second, taken.pictures.mask):
        assert numbers(role) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_a_clip_of_variable_frame_rate_meets_the_pictures_of_its_own_times(tmp_path: Path) -> None:
    film(tmp_path / "even.mp4", range(10))
    clip = inputs(film(tmp_path / "clip.mp4", [0, 1, 2, 6, 7, 9]), "even.mp4")
    first, second = clip.take(4), clip.take(2)
    assert numbers(first.pictures.second) + numbers(second.pictures.second) == [0, 1, 2, 6, 7, 9]
    assert second.moments == pytest.approx([7 / RATE, 9 / RATE])


def test_a_role_of_variable_frame_rate_holds_each_picture_for_its_time(tmp_path: Path) -> None:
    film(tmp_path / "uneven.mp4", [0, 1, 5, 9])
    taken = inputs(film(tmp_path / "clip.mp4", range(10)), "uneven.mp4").take(10)
    assert numbers(taken.pictures.second) == [0, 1, 1, 1, 5, 5, 5, 5, 9, 9]


@pytest.mark.parametrize(
    ("options", "shown"),
    [("", [0, 1, 2, 2, 2, 2]), ("?loop", [0, 1, 2, 0, 1, 2]), ("?rate=0.5", [0, 0, 1, 1, 2, 2])],
)
def test_options_work_as_live_but_a_film_that_ends_is_held_unless_it_is_to_loop(
    tmp_path: Path, options: str, shown: list[int]
) -> None:
    film(tmp_path / "short.mp4", range(3))
    taken = inputs(film(tmp_path / "clip.mp4", range(6)), f"file:short.mp4{options}").take(6)
    assert numbers(taken.pictures.second) == shown


def test_a_sequence_of_pictures_takes_the_clips_rate_over(tmp_path: Path) -> None:
    for index in range(6):
        cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((SIZE[1], SIZE[0], 3), shade(index), np.uint8))
    clip = film(tmp_path / "clip.mp4", range(6))
    assert numbers(inputs(clip, str(tmp_path)).take(6).pictures.second) == list(range(6))
    assert numbers(inputs(clip, f"{tmp_path}?fps=6").take(6).pictures.second) == [0, 0, 1, 1, 2, 2]


def test_a_role_whose_file_is_missing_is_refused_with_its_name(tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mp4", range(2))
    with pytest.raises(UserError, match=r"nothing\.mp4"):
        inputs(clip, "nothing.mp4?loop")


@pytest.mark.parametrize(
    ("role", "value", "line"),
    [
        ("second", "2", "--input-second 2: only `run` has numbered inputs; for render, name a file"),
        ("control", "2", "--input-control 2: render takes the control from its --input; name that clip there"),
        ("control", "a.mp4", "--input-control a.mp4: render takes the control from its --input; name that clip there"),
    ],
)
def test_an_input_that_only_a_live_show_has_is_refused_and_not_ignored(
    tmp_path: Path, role: str, value: str, line: str
) -> None:
    clip = film(tmp_path / "clip.mp4", range(2))
    snapshot = Parameters({f"/streamvace/input/{role}": value}).snapshot()
    with pytest.raises(UserError) as caught:
        ClipInputs(clip, None, snapshot, MediaFolder(tmp_path), SIZE, RATE, None)
    assert str(caught.value) == line


def test_two_masks_are_refused_and_both_named(tmp_path: Path) -> None:
    clip, mask = film(tmp_path / "clip.mp4", range(2)), film(tmp_path / "mask.mp4", range(2))
    snapshot = Parameters({"/streamvace/input/mask": "clip.mp4"}).snapshot()
    with pytest.raises(UserError) as caught:
        ClipInputs(clip, mask, snapshot, MediaFolder(tmp_path), SIZE, RATE, None)
    assert str(caught.value) == f"--mask {mask} and --input-mask {clip} both name the mask; keep one of them"
