"""The tiles of a mosaic: whole tiles of one point each, lit from the upper left."""

from __future__ import annotations

import numpy as np
import pytest

from streamvace.effects.tiles import PERIOD, tile_maps


@pytest.mark.parametrize(("height", "width", "cell"), [(240, 320, 20.0), (64, 64, 3.0), (97, 33, 12.4)])
def test_every_pixel_takes_its_colour_inside_the_picture_and_near_by(height: int, width: int, cell: float) -> None:
    source, light = tile_maps(height, width, cell)
    assert source.shape == (height, width, 2)
    assert light.shape == (height, width)
    assert source[..., 0].min() >= 0
    assert source[..., 0].max() < width
    assert source[..., 1].min() >= 0
    assert source[..., 1].max() < height
    away = np.hypot(source[..., 0] - np.arange(width), source[..., 1] - np.arange(height)[:, None])
    assert away.max() < 2 * cell


def test_there_is_about_one_tile_in_a_cell_and_grout_around_it() -> None:
    source, light = tile_maps(240, 240, 20.0)
    points = {(int(x), int(y)) for x, y in source.reshape(-1, 2)}
    assert 100 < len(points) < 200, "144 cells and those at the border"
    edge = (source[:, 1:] != source[:, :-1]).any(-1)
    assert light[:, 1:][edge].mean() < 0.5 * light[:, 1:][~edge].mean()


def test_the_pattern_repeats_without_a_seam() -> None:
    cell, period = 10.0, 10 * PERIOD
    source, light = tile_maps(2 * period, 2 * period, cell)
    ways = source.astype(int) - np.stack(np.meshgrid(np.arange(2 * period), np.arange(2 * period)), -1)
    inner = slice(40, period - 40)
    assert (ways[inner, inner] == ways[inner, period + 40 : 2 * period - 40]).all()
    assert (light[:, :period] == light[:, period:]).all()
    across = (np.abs(np.diff(ways[:, 40 : period - 40], axis=0)) <= 1).all(-1).mean(1)
    assert across[period - 1] > across.min(), "more tiles end elsewhere than at the seam"
    assert across[period - 1] > across.mean() - 0.1


def test_the_light_comes_from_the_upper_left() -> None:
    source, light = tile_maps(240, 240, 40.0)
    way = source.astype(int) - np.stack(np.meshgrid(np.arange(240), np.arange(240)), -1)
    toward = way.sum(-1)  # positive: the pixel is up and left of its point
    solid = light > 140
    upper, lower = light[solid & (toward > 24)], light[solid & (toward < -24)]
    assert upper.mean() > lower.mean() + 10
