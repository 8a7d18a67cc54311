"""What is done to a mask after it was found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.conditioning.masks.shape import COMBINE, MaskShaper, Shaping, feathered, grown


def square(side: int = 41, inner: int = 11) -> np.ndarray:  # type: ignore[type-arg]
    mask = np.zeros((side, side), np.uint8)
    low = (side - inner) // 2
    mask[low : low + inner, low : low + inner] = 255
    return mask


@pytest.mark.parametrize("pixels", [1, 2, 3, 7, 12])
def test_growing_moves_a_border_by_that_many_pixels_and_shrinking_back(pixels: int) -> None:
    mask = square(81, 31)
    larger = grown(mask, pixels)
    row = larger[40] > 127
    assert row.sum() == 31 + 2 * pixels
    assert np.array_equal(grown(larger, -pixels) > 127, mask > 127) or pixels > 3  # corners round off
    assert (grown(mask, -pixels)[40] > 127).sum() == 31 - 2 * pixels


def test_growing_past_the_border_fills_and_shrinking_empties() -> None:
    assert (grown(square(), 64) == 255).all()
    assert not grown(square(), -64).any()
    assert grown(np.full((9, 9), 255, np.uint8), -3).all(), "the picture's border is no border of the mask"


@pytest.mark.parametrize("pixels", [2, 8, 20])
def test_a_feather_fades_over_its_width_and_leaves_the_middle_of_the_border_where_it_was(pixels: int) -> None:
    mask = np.zeros((64, 128), np.uint8)
    mask[:, 64:] = 255
    row = feathered(mask, pixels)[32].astype(int)
    assert (np.diff(row) >= 0).all()
    assert abs(int(np.argmax(row > 127)) - 64) <= 1
    fading = ((row > 5) & (row < 250)).sum()
    assert pixels * 0.6 <= fading <= pixels * 2 + 2


def test_inverting_comes_before_growing() -> None:
    shaped = MaskShaper().update(square(), 0.0, Shaping(invert=True, grow=2))
    assert (shaped[20] < 128).sum() == 11 - 4, "what is selected grows, so the hole shrinks"


def test_a_held_pixel_stays_selected_for_the_hold_and_then_goes() -> None:
    shaper, shaping = MaskShaper(), Shaping(hold=0.5)
    there, gone = square(), np.zeros_like(square())
    shaper.update(there, 0.0, shaping)
    states = {k: shaper.update(gone, k / 24, shaping)[20, 20] for k in range(1, 49)}
    assert all(states[k] > 127 for k in range(1, 12)), "held for half a second"
    assert all(states[k] <= 127 for k in range(13, 49))
    assert states[48] == 0


def test_a_detector_that_misses_every_third_frame_does_not_flicker() -> None:
    shaper = MaskShaper()
    found = [square() if k % 3 else np.zeros_like(square()) for k in range(1, 40)]
    shaped = [shaper.update(mask, k / 24, Shaping(hold=0.25)) > 127 for k, mask in enumerate(found)]
    assert all(np.array_equal(mask, shaped[0]) for mask in shaped[1:])


def test_without_a_hold_nothing_is_remembered_and_a_reset_forgets() -> None:
    shaper = MaskShaper()
    shaper.update(square(), 0.0, Shaping(hold=5.0))
    assert not shaper.update(np.zeros_like(square()), 0.1, Shaping()).any()
    shaper.update(square(), 0.2, Shaping(hold=5.0))
    shaper.reset()
    assert not shaper.update(np.zeros_like(square()), 0.3, Shaping(hold=5.0)).any()


def test_another_size_starts_afresh() -> None:
    shaper = MaskShaper()
    shaper.update(square(), 0.0, Shaping(hold=5.0))
    assert shaper.update(np.zeros((5, 7), np.uint8), 0.1, Shaping(hold=5.0)).shape == (5, 7)


levels = st.integers(0, 255)


@given(levels, levels)
def test_two_masks_make_one(first: int, second: int) -> None:
    a, b = np.full((1, 1), first, np.uint8), np.full((1, 1), second, np.uint8)
    assert COMBINE["union"](a, b)[0, 0] == max(first, second)
    assert COMBINE["intersection"](a, b)[0, 0] == min(first, second)
    assert COMBINE["difference"](a, b)[0, 0] == min(first, 255 - second)
