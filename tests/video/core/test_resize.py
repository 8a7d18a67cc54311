from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streamvace.video.core.resize import fit_cover, with_alpha

side = st.integers(1, 90)


@settings(max_examples=60, deadline=None)
@given(side, side, side, side)
def test_any_picture_comes_to_any_size_without_a_border(width: int, height: int, to_width: int, to_height: int) -> None:
    picture = np.full((height, width, 4), 200, np.uint8)
    fitted = fit_cover(picture, (to_width, to_height))
    assert fitted.shape == (to_height, to_width, 4)
    assert fitted.flags["C_CONTIGUOUS"]
    assert np.all(fitted == 200)


def test_a_picture_of_the_right_size_is_not_copied() -> None:
    picture = np.zeros((48, 64, 4), np.uint8)
    assert fit_cover(picture, (64, 48)) is picture or np.shares_memory(fit_cover(picture, (64, 48)), picture)


def test_a_wide_picture_loses_its_sides_evenly() -> None:
    picture = np.zeros((10, 30, 4), np.uint8)
    picture[:, 10:20] = 255
    assert np.all(fit_cover(picture, (10, 10)) == 255)


def test_a_tall_picture_loses_top_and_bottom_evenly() -> None:
    picture = np.zeros((30, 10, 4), np.uint8)
    picture[10:20] = 255
    assert np.all(fit_cover(picture, (20, 20)) == 255)


def test_shrinking_averages_so_that_fine_patterns_do_not_flicker() -> None:
    checks = np.indices((64, 64)).sum(axis=0) % 2 * 255
    picture = np.repeat(checks[..., None], 4, axis=2).astype(np.uint8)
    assert np.ptp(fit_cover(picture, (16, 16)).astype(int)) <= 1


def test_colours_below_a_transparent_mask_are_kept() -> None:
    picture = np.zeros((64, 64, 4), np.uint8)
    picture[..., 0] = 250
    picture[:, 32:, 3] = 255
    fitted = fit_cover(picture, (16, 16))
    assert np.all(fitted[..., 0] == 250)
    assert np.all(fitted[:, :8, 3] == 0)
    assert np.all(fitted[:, 8:, 3] == 255)


def test_a_picture_without_alpha_becomes_opaque() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (5, 7, 3), dtype=np.uint8)
    rgba = with_alpha(rgb)
    assert np.array_equal(rgba[..., :3], rgb)
    assert np.all(rgba[..., 3] == 255)
