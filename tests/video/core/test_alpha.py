from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvace.video.core.alpha import to_premultiplied, to_straight


def every_pair() -> NDArray[np.uint8]:
    """`[256, 256, 4]`: every colour value (across) with every alpha (down)."""
    alpha, colour = np.mgrid[0:256, 0:256].astype(np.uint8)
    return np.stack([colour, colour, colour, alpha], axis=-1)


def test_premultiplying_rounds_to_nearest() -> None:
    pairs = every_pair()
    exact = pairs[..., 0].astype(np.float64) * pairs[..., 3] / 255
    assert np.abs(to_premultiplied(pairs)[..., 0] - exact).max() < 0.5


def test_opaque_pictures_pass_both_ways_untouched_and_uncopied() -> None:
    opaque = every_pair()
    opaque[..., 3] = 255
    assert to_premultiplied(opaque) is opaque
    assert to_straight(opaque) is opaque


def test_opaque_pixels_pass_both_ways_untouched_next_to_others() -> None:
    pairs = every_pair()
    assert (to_premultiplied(pairs)[255] == pairs[255]).all()
    assert (to_straight(pairs)[255] == pairs[255]).all()


def test_alpha_itself_never_changes() -> None:
    pairs = every_pair()
    assert (to_premultiplied(pairs)[..., 3] == pairs[..., 3]).all()
    assert (to_straight(pairs)[..., 3] == pairs[..., 3]).all()


def test_every_premultiplied_pixel_comes_back_exactly() -> None:
    pairs = every_pair()
    valid = pairs[..., 0] <= pairs[..., 3]
    assert (to_premultiplied(to_straight(pairs))[valid] == pairs[valid]).all()


def test_a_straight_colour_comes_back_within_what_its_alpha_can_hold() -> None:
    pairs = every_pair()
    back = to_straight(to_premultiplied(pairs)).astype(np.float64)
    shows = pairs[..., 3] > 0
    error = np.abs(back[..., 0] - pairs[..., 0])[shows]
    assert (error <= 127.5 / pairs[..., 3][shows] + 0.5).all()


def test_what_is_no_premultiplied_colour_is_clamped_and_nothing_is_black() -> None:
    straight = to_straight(np.array([[[200, 100, 0, 100], [9, 9, 9, 0]]], np.uint8))
    assert straight.tolist() == [[[255, 255, 0, 100], [0, 0, 0, 0]]]


def test_the_input_is_never_written_to() -> None:
    pairs = every_pair()
    pairs.flags.writeable = False
    to_premultiplied(pairs)
    to_straight(pairs)
