"""A small picture fills a large screen."""

import cv2
import numpy as np
import pytest

from streamvace.video.core.enlarge import Enlarger


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_the_picture_keeps_its_place_colours_and_alpha(factor: int) -> None:
    small = np.zeros((32, 48, 4), np.uint8)
    small[:16, :24] = (200, 30, 10, 255)
    small[16:, 24:] = (10, 30, 200, 128)
    large = Enlarger(factor)(small)
    assert large.shape == (32 * factor, 48 * factor, 4)
    assert Enlarger(factor).size((48, 32)) == (48 * factor, 32 * factor)
    for y, x in ((8, 12), (24, 36), (8, 36)):
        assert np.abs(large[y * factor, x * factor].astype(int) - small[y, x].astype(int)).max() <= 1


def test_an_outline_is_steeper_than_plain_interpolation_makes_it() -> None:
    ramp = np.zeros((32, 32, 3), np.uint8)
    ramp[:, 15], ramp[:, 16:] = 110, 220
    large = Enlarger(4)(ramp)[64, :, 0].astype(int)
    plain = cv2.resize(ramp, (128, 128), interpolation=cv2.INTER_CUBIC)[64, :, 0].astype(int)
    assert np.diff(large).max() > np.diff(plain).max()


def test_a_repeated_frame_is_enlarged_once() -> None:
    frame, enlarge = np.zeros((16, 16, 4), np.uint8), Enlarger(2)
    assert enlarge(frame) is enlarge(frame)
    assert enlarge(frame.copy()) is not enlarge(frame)
