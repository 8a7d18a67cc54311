"""Brightness, saturation and hue."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from streamvace.effects.colour import Colour
from streamvace.effects.look import Look
from tests.effects.pictures import noise


def reference(picture: NDArray[np.uint8], look: Look) -> NDArray[np.float64]:
    """One after the other: a turn about the grey axis by Rodrigues' formula, a mix with the luma, a factor."""
    rgb = picture[..., :3].astype(np.float64)
    axis, turn = np.ones(3) / math.sqrt(3), math.radians(look.hue)
    rgb = (
        rgb * math.cos(turn)
        + np.cross(np.broadcast_to(axis, rgb.shape), rgb) * math.sin(turn)
        + axis * (rgb @ axis)[..., None] * (1 - math.cos(turn))
    )
    luma = (0.2126 * rgb[..., 0] + 0.7152 * rgb[..., 1] + 0.0722 * rgb[..., 2])[..., None]
    return np.clip(look.brightness * (luma + look.saturation * (rgb - luma)), 0, 255)


@pytest.mark.parametrize(
    "look",
    [
        Look(brightness=0.4),
        Look(brightness=2.0),
        Look(saturation=0.0),
        Look(saturation=2.0),
        Look(hue=-75.0),
        Look(brightness=1.3, saturation=0.6, hue=140.0),
    ],
    ids=str,
)
def test_one_matrix_does_what_the_three_do_one_after_the_other(look: Look) -> None:
    picture = noise()
    done = Colour()(picture, look)
    assert np.abs(done[..., :3] - reference(picture, look)).max() <= 1.5
    assert (done[..., 3] == picture[..., 3]).all(), "the alpha stays"


def test_a_third_of_a_turn_makes_red_green_and_greys_stay() -> None:
    picture = np.array([[[200, 0, 0, 255], [90, 90, 90, 255]]], np.uint8)
    done = Colour()(picture, Look(hue=120.0))
    assert done.tolist() == [[[0, 200, 0, 255], [90, 90, 90, 255]]]


def test_each_result_is_a_picture_of_its_own_for_outputs_that_keep_it() -> None:
    colour = Colour()
    first = colour(noise(seed=1), Look(brightness=0.5))
    kept = first.copy()
    colour(noise(seed=2), Look(brightness=0.5))
    assert (first == kept).all()
    assert colour(noise(10, 12), Look(brightness=0.5)).shape == (10, 12, 4), "another size is no fault"
