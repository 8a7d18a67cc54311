"""Tiles repeat without a seam, and are the same every time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from streamvace.world.textures import (
    TILE,
    Floats,
    cells,
    fibres,
    hexagons,
    labyrinth,
    noise,
    points,
    smooth,
    traces,
    veins,
    wander,
)

TILES: dict[str, Callable[[], Floats]] = {
    "noise": lambda: noise(1, 3),
    "stretched noise": lambda: noise(2, 6, 1.2, stretch=3.0),
    "veins": lambda: veins(3, 2, 2.0, 6),
    "cells": lambda: cells(4, 5).border,
    "hexagons": lambda: hexagons(5, 7).border,
    "labyrinth": lambda: labyrinth(6, 9),
    "fibres": lambda: fibres(7, 4, 14),
    "points": lambda: points(8, 60, 4.0),
    "traces": lambda: traces(9, 32)[0],
    "wander": lambda: wander(noise(1, 3), 0.1 * noise(2, 2), 0.1 * noise(3, 2)),
}


@pytest.mark.parametrize("name", TILES)
def test_a_tile_repeats_without_a_seam(name: str) -> None:
    tile = TILES[name]()
    assert tile.shape == (TILE, TILE)
    assert tile.dtype == np.float32
    for turned in (tile, tile.T):
        inside = np.abs(np.diff(turned, axis=0)).mean(1)
        seam = float(np.abs(turned[0] - turned[-1]).mean())
        assert seam <= inside.max() * 1.05 + 1e-6, "the step across the border is like one inside"


@pytest.mark.parametrize("name", TILES)
def test_a_tile_is_the_same_every_time_and_not_flat(name: str) -> None:
    one, other = TILES[name](), TILES[name]()
    assert np.array_equal(one, other)
    assert one.std() > 0.05
    assert one.min() >= 0


def test_cells_are_owned_by_the_nearest_point_around_the_tile() -> None:
    found = cells(11, 4)
    assert len(np.unique(found.ident)) == 16
    assert found.border.min() >= 0
    assert found.border[found.centre < 0.1].min() > 0.1, "a point is not on its cell's border"


def test_hexagons_are_all_of_one_size() -> None:
    ident = hexagons(12, 7).ident
    sizes = np.unique(ident, return_counts=True)[1]
    assert sizes.max() / sizes.min() < 1.1


def test_a_longer_spot_is_longer_down_than_across() -> None:
    tile = noise(13, 6, 1.2, stretch=3.0)
    down, across = (np.abs(np.diff(tile, axis=axis)).mean() for axis in (0, 1))
    assert across > 2 * down


def test_a_soft_step_starts_flat_ends_flat_and_never_falls() -> None:
    x = np.linspace(-1, 2, 61, dtype=np.float32)
    step = smooth(0.0, 1.0, x)
    assert step[0] == 0
    assert step[-1] == 1
    assert (np.diff(step) >= 0).all()
    assert step[30] == pytest.approx(0.5, abs=1e-6)
