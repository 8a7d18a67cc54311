"""Screens: ink, tiles and light in the picture's own colours, at the sharpness of the output."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from streamvace.effects.grid import FINEST
from streamvace.effects.screens import SCREENS, Screen
from tests.effects.pictures import noise

INKS = ("halftone", "lines", "hatching", "woodcut")
SIDE = 240


def flat(*colour: int, side: int = SIDE) -> NDArray[np.uint8]:
    picture = np.empty((side, side, 4), np.uint8)
    picture[:] = (*colour, 255)
    return picture


def drawn(name: str, picture: NDArray[np.uint8], cells: float = 24, mix: float = 1.0) -> NDArray[np.uint8]:
    return Screen()(picture, name, cells, mix)


@pytest.mark.parametrize("name", SCREENS)
def test_black_stays_black_so_that_a_blackout_and_a_fade_are_whole(name: str) -> None:
    for cells in (8, 24, 200):
        assert not drawn(name, flat(0, 0, 0), cells)[..., :3].any()


@pytest.mark.parametrize("name", INKS)
@pytest.mark.parametrize("grey", [26, 64, 128, 191, 230])
def test_the_inked_area_is_the_brightness(name: str, grey: int) -> None:
    area = drawn(name, flat(grey, grey, grey))[..., 0].mean() / 255
    assert area == pytest.approx(grey / 255, abs=0.06)


@pytest.mark.parametrize("name", INKS)
def test_what_is_nearly_black_has_hardly_any_ink(name: str) -> None:
    assert drawn(name, flat(2, 2, 2))[..., 0].mean() < 255 * 0.03


@pytest.mark.parametrize("name", INKS)
def test_white_is_inked_without_a_gap_and_ink_has_the_pure_colour(name: str) -> None:
    assert (drawn(name, flat(255, 255, 255))[..., :3] == 255).all()
    done = drawn(name, flat(120, 60, 0))
    solid = done[done[..., 0] > 250]
    assert len(solid) > 100, "the ink is at full brightness"
    assert np.abs(solid[:, 1].astype(int) - 128).max() <= 3, "the proportion of the colours stays"
    assert not done[..., 2].any()


def test_the_shapes_of_the_inks_differ_dots_in_both_directions_lines_in_one() -> None:
    grey = flat(110, 110, 110)
    rows = drawn("lines", grey)[..., 0]
    assert (rows == rows[:, :1]).all()
    for name in ("halftone", "hatching"):
        ink = drawn(name, grey)[..., 0]
        assert (ink != ink[:, :1]).any()
        assert (ink != ink[:1]).any()
    turned = drawn("halftone", grey)[..., 0]
    assert np.abs(turned.astype(int) - turned.T).mean() < 3, "dots are the same in both directions"


@pytest.mark.parametrize("name", ["halftone", "lines", "hatching", "tube"])
def test_there_are_as_many_cells_as_asked_for_and_none_below_three_pixels(name: str) -> None:
    def waves(cells: float) -> int:
        column = drawn(name, flat(110, 110, 110), cells)[:, 0, 0].astype(float)
        power = np.abs(np.fft.rfft(column - column.mean()))
        return int(power.argmax())

    few, many = waves(12), waves(24)
    assert many == pytest.approx(2 * few, abs=1)
    assert waves(200) == pytest.approx(waves(SIDE / FINEST), abs=1)


def ripples(angle: float) -> NDArray[np.uint8]:
    """Waves of light whose crests run along `angle`, at half brightness."""
    y, x = np.mgrid[:SIDE, :SIDE]
    level = 128 + 60 * np.sin((x * np.sin(angle) - y * np.cos(angle)) / 8)
    return np.dstack([np.repeat(level[..., None], 3, -1), np.full((SIDE, SIDE, 1), 255)]).round().astype(np.uint8)


def run_of(picture: NDArray[np.uint8]) -> float:
    """The direction that the strokes of a picture run in, radians in 0..pi."""
    grey = picture[..., 0].astype(np.float32)
    gx, gy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    double = np.arctan2((2 * gx * gy).sum(), (gx * gx - gy * gy).sum())
    return float((double / 2 + np.pi / 2) % np.pi)


@pytest.mark.parametrize("angle", [0.2, 0.9, 1.6, 2.7])
def test_the_strokes_of_a_woodcut_run_along_the_form(angle: float) -> None:
    off = abs(run_of(drawn("woodcut", ripples(angle), cells=40)) - angle)
    assert min(off, np.pi - off) < 0.12


def test_where_there_is_no_form_the_strokes_lie_on_a_diagonal_and_do_not_turn_with_noise() -> None:
    grey = flat(128, 128, 128)
    noisy = grey.copy()
    noisy[..., :3] += np.random.default_rng(1).integers(-2, 3, noisy[..., :3].shape, np.int8).view(np.uint8)
    for picture in (grey, noisy):
        assert run_of(drawn("woodcut", picture, cells=40)) == pytest.approx(np.pi / 4, abs=0.15)


def test_oil_has_the_relief_of_a_brush_and_keeps_brightness_and_colour() -> None:
    right = drawn("oil", flat(200, 100, 50), cells=40).astype(float)
    assert right[..., 0].std() > 3, "the brush is seen on an even patch"
    assert right[..., 0].mean() == pytest.approx(200, abs=10)
    assert np.median(right[..., 0] / right[..., 1]) == pytest.approx(2, rel=0.05)


def test_a_mosaic_has_tiles_of_one_colour_with_dark_grout_between_them() -> None:
    ramp = np.tile(np.linspace(0, 255, SIDE).astype(np.uint8)[None, :, None], (SIDE, 1, 4))
    done = drawn("mosaic", ramp, cells=12)[..., 0].astype(int)
    labels, flat_places = cv2.connectedComponents((done > 0.45 * done.max()).astype(np.uint8))
    assert labels > 30
    right = done[:, SIDE // 2 :]
    assert right.min() < 0.5 * right.max(), "the grout"
    inside = np.abs(np.diff(done, axis=1)) == 0
    assert inside.mean() > 0.3, "the ramp has become steps"
    assert flat_places.shape == done.shape


def test_pixels_are_large_and_of_five_levels() -> None:
    done = drawn("pixels", noise(SIDE, SIDE), cells=12)[..., :3]
    assert set(np.unique(done)) <= {0, 64, 128, 191, 255}
    side = SIDE // 24
    blocks = done.reshape(24, side, 24, side, 3)
    assert (blocks == blocks[:, :1, :, :1]).all()


def test_the_dither_of_pixels_keeps_the_mean_brightness() -> None:
    for grey in (40, 100, 160, 220):
        assert drawn("pixels", flat(grey, grey, grey), cells=30)[..., 0].mean() == pytest.approx(grey, abs=14)


def test_outlines_glow_where_the_picture_changes_and_nowhere_else() -> None:
    picture = flat(0, 0, 0)
    picture[:, SIDE // 2 :, :3] = (200, 100, 0)
    done = drawn("outlines", picture, cells=40)
    assert done[:, SIDE // 2 - 2 : SIDE // 2 + 2, 0].min() > 150
    assert not done[:, : SIDE // 4, :3].any()
    assert not done[:, 3 * SIDE // 4 :, :3].any()
    assert not done[..., 2].any(), "in the picture's own colour"


def test_a_tube_has_coloured_columns_and_keeps_about_the_brightness() -> None:
    done = drawn("tube", flat(128, 128, 128), cells=30)[..., :3].astype(float)
    for channel in range(3):
        columns = done[:, :, channel].mean(0)
        assert columns[channel::3].min() > columns[(channel + 1) % 3 :: 3].max()
    assert done.mean() == pytest.approx(128, rel=0.25)


@pytest.mark.parametrize("name", SCREENS)
def test_the_alpha_stays_and_a_mix_lies_between(name: str) -> None:
    picture = noise(96, 128)
    whole, half, none = (drawn(name, picture, 20, mix) for mix in (1.0, 0.5, 0.0))
    assert (whole[..., 3] == picture[..., 3]).all()
    assert (none == picture).all()
    middle = (whole.astype(int) + picture) / 2
    assert np.abs(half[..., :3] - middle[..., :3]).max() <= 1


@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize(("height", "width"), [(16, 16), (368, 640), (97, 33)])
def test_every_size_can_be_drawn(name: str, height: int, width: int) -> None:
    for cells in (8, 56, 200):
        assert drawn(name, noise(height, width), cells).shape == (height, width, 4)


def test_a_picture_that_comes_again_is_drawn_once_and_the_maps_of_a_size_are_made_once() -> None:
    screen, picture = Screen(), noise(64, 64)
    once = screen(picture, "halftone", 12, 1.0)
    grid = screen._grid
    assert screen(picture, "halftone", 12, 1.0) is once
    assert screen(noise(64, 64, seed=2), "halftone", 12, 1.0) is not once
    assert screen._grid is grid
    screen(picture, "halftone", 12.3, 1.0)
    assert screen._grid is grid, "cells are whole numbers: gliding ones make new maps only at every step"
    screen(picture, "halftone", 13, 1.0)
    assert screen._grid is not grid
