"""A picture is shown as its file asks, turned and mirrored: all eight ways, in every kind of file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from streamvace.live.inputs.pictures import load_picture
from streamvace.video.film.decode import file_info
from streamvace.video.film.orientation import upright
from streamvace.video.film.source import read_frames
from tests.video.film.files import EXIF_ORIENTATIONS, QUICKTIME_MATRICES, corners, exif_picture, turned_film


@pytest.mark.parametrize("orientation", EXIF_ORIENTATIONS)
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_a_picture_is_shown_as_its_exif_asks_as_input_and_in_the_media_folder(
    tmp_path: Path, suffix: str, orientation: int
) -> None:
    path = exif_picture(tmp_path / f"a{suffix}", orientation)
    wanted = EXIF_ORIENTATIONS[orientation](corners())
    size = (wanted.shape[1], wanted.shape[0])
    (played,) = read_frames(path, size)
    for shown in (played, load_picture(path)):
        assert shown.shape == (*wanted.shape[:2], 4)
        assert np.abs(shown[..., :3].astype(int) - wanted).max() < 8
        assert (shown[..., 3] == 255).all()
    assert (file_info(path).width, file_info(path).height) == size


@pytest.mark.parametrize("orientation", QUICKTIME_MATRICES)
def test_a_film_is_shown_as_its_matrix_asks(tmp_path: Path, orientation: int) -> None:
    path = turned_film(tmp_path / "a.mp4", orientation)
    wanted = EXIF_ORIENTATIONS[orientation](corners())
    (shown,) = read_frames(path, (wanted.shape[1], wanted.shape[0]))
    assert np.abs(shown[..., :3].astype(int) - wanted).mean() < 3
    assert (file_info(path).width, file_info(path).height) == (wanted.shape[1], wanted.shape[0])


def test_an_angle_between_quarter_turns_becomes_the_nearest() -> None:
    pixels = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    tilted_a_little_to_the_right, nearly_a_quarter = (9, 3, -3, 9), (1, 9, -9, 1)
    assert np.array_equal(upright(pixels, tilted_a_little_to_the_right), pixels)
    assert np.array_equal(upright(pixels, nearly_a_quarter), pixels[::-1].swapaxes(0, 1))
