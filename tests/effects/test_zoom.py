"""Zoom about the centre."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from streamvace.effects.zoom import zoomed
from tests.effects.pictures import noise


def mirrored(at: float, size: int) -> float:
    """A coordinate outside the picture, mirrored at its first and last pixel until it is inside."""
    span = size - 1
    at = abs(at) % (2 * span)
    return 2 * span - at if at > span else at


def reference(picture: NDArray[np.uint8], factor: float) -> NDArray[np.float64]:
    """Each pixel on its own: bilinear between the four around the place it comes from."""
    height, width = picture.shape[:2]
    done = np.empty(picture.shape)
    for y in range(height):
        for x in range(width):
            from_x = mirrored((x - (width - 1) / 2) / factor + (width - 1) / 2, width)
            from_y = mirrored((y - (height - 1) / 2) / factor + (height - 1) / 2, height)
            left, top = min(math.floor(from_x), width - 2), min(math.floor(from_y), height - 2)
            right, down = from_x - left, from_y - top
            upper = picture[top, left] * (1 - right) + picture[top, left + 1] * right
            lower = picture[top + 1, left] * (1 - right) + picture[top + 1, left + 1] * right
            done[y, x] = upper * (1 - down) + lower * down
    return done


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25, 4.0])
def test_every_pixel_is_interpolated_and_edges_are_mirrored(factor: float) -> None:
    picture = noise()
    # OpenCV rounds places to a 32nd of a pixel; noise changes by up to 255 levels from pixel to pixel
    assert np.abs(zoomed(picture, factor) - reference(picture, factor)).max() <= 255 / 32 + 1


def test_the_centre_stays_and_a_flat_picture_stays_flat() -> None:
    picture = noise(9, 9)
    assert (zoomed(picture, 3.0)[4, 4] == picture[4, 4]).all()
    assert (zoomed(np.full((6, 8, 4), 77, np.uint8), 0.6) == 77).all()
