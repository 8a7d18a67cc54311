"""Threshold maps: every level has an equal share of the area."""

from __future__ import annotations

import numpy as np
import pytest

from streamvace.effects.thresholds import MAPS, threshold_map


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("cell", [7.3, 12.7, 20.0])
def test_a_share_of_the_levels_covers_the_same_share_of_the_area(name: str, cell: float) -> None:
    levels = threshold_map(name, 240, 320, cell)
    assert levels.shape == (240, 320)
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        assert (levels < 255 * share).mean() == pytest.approx(share, abs=0.08)


def test_dots_stand_on_a_grid_that_is_turned_by_half_a_right_angle() -> None:
    levels = threshold_map("halftone", 200, 200, 10.0)
    darkest = {(int(y), int(x)) for y, x in zip(*np.nonzero(levels <= 1), strict=True)}
    assert (0, 0) in darkest
    assert (10, 10) in darkest, "the next one is along the diagonal"
    assert (0, 10) not in darkest
    assert (0, 20) in darkest


def test_hatching_is_in_one_direction_where_it_is_dark_and_crossed_where_it_is_bright() -> None:
    levels = threshold_map("hatching", 280, 280, 10.0)

    def along(ink: np.ndarray, way: int) -> float:
        """How alike neighbours on a diagonal are, 0..1."""
        moved = np.roll(ink, (1, way), (0, 1))
        return float((ink == moved)[8:-8, 8:-8].mean())

    few, many = (along(ink, -1) - along(ink, 1) for ink in (levels < 40, levels < 150))
    assert few > 0.2
    assert 0 < many < few / 2
