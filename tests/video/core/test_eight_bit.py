"""Whatever a driver gives becomes uint8 RGBA, or one clear line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.video.core.eight_bit import rgba_of_bgr


@pytest.mark.parametrize(
    ("picture", "rgba"),
    [
        (np.full((2, 3, 3), (10, 20, 200), np.uint8), (200, 20, 10, 255)),
        (np.full((2, 3, 4), (10, 20, 200, 7), np.uint8), (200, 20, 10, 7)),
        (np.full((2, 3), 90, np.uint8), (90, 90, 90, 255)),
        (np.full((2, 3, 1), 90, np.uint8), (90, 90, 90, 255)),
        (np.full((2, 3), 0xAB12, np.uint16), (0xAB, 0xAB, 0xAB, 255)),
        (np.full((2, 3, 3), (0, 255, 65535), np.uint16), (255, 0, 0, 255)),
        (np.full((2, 3, 3), (0.0, 0.5, 7.0), np.float32), (255, 128, 0, 255)),
        (np.full((2, 3), np.nan, np.float64), (0, 0, 0, 255)),
        (np.full((2, 3), np.inf, np.float16), (0, 0, 0, 255)),
    ],
)
def test_every_kind_of_picture_that_opencv_gives(picture: Any, rgba: tuple[int, ...]) -> None:
    converted = rgba_of_bgr(picture)
    assert converted.dtype == np.uint8
    assert converted.shape == (2, 3, 4)
    assert converted[1, 2].tolist() == list(rgba)


@given(st.integers(0, 65535))
def test_a_dark_picture_stays_dark_whatever_its_values(value: int) -> None:
    assert rgba_of_bgr(np.full((1, 1), value, np.uint16))[0, 0, 0] == value // 256


@pytest.mark.parametrize("shape", [(0, 0, 3), (4, 0), (4, 4, 2), (4,), (1, 2, 3, 4)])
def test_what_is_no_picture_is_refused_with_its_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="it takes"):
        rgba_of_bgr(np.zeros(shape, np.uint8))


def test_a_type_without_a_range_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="a picture of int32"):
        rgba_of_bgr(np.zeros((2, 2), np.int32))
