"""Tiles of a mosaic: cells around points that are scattered on a grid. The pattern repeats, so it is made quickly."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

PERIOD: Final = 12
"""Cells after which the pattern repeats: enough that nobody sees it."""
_BORDER: Final = 2
"""Cells around the pattern that it is made with: no tile reaches further."""

Map = NDArray[np.int16]
Pixels = NDArray[np.uint8]


def _pattern(cell: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The way from each pixel to its tile's point, `[P, P, 2]` in pixels as (x, y), and its distance to the tile's
    edge, `[P, P]`. P: pixels of a period."""
    points = np.random.default_rng(6).uniform(0.15, 0.85, (PERIOD, PERIOD, 2))
    rows = np.arange(-_BORDER, PERIOD + _BORDER)
    grid = np.stack(np.meshgrid(rows, rows), -1) + points[rows % PERIOD][:, rows % PERIOD]
    border, side = round(_BORDER * cell), round(PERIOD * cell)
    places = np.round((grid * (side / PERIOD) + border).reshape(-1, 2)).astype(np.intp)
    places = np.clip(places, 0, side + 2 * border - 1)
    seeds = np.full((side + 2 * border,) * 2, 255, np.uint8)
    seeds[places[:, 1], places[:, 0]] = 0
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    point = np.zeros((int(labels.max()) + 1, 2), np.float32)
    point[labels[places[:, 1], places[:, 0]]] = places
    inside = np.full(labels.shape, 255, np.uint8)
    inside[:, 1:][labels[:, 1:] != labels[:, :-1]] = 0
    inside[1:][labels[1:] != labels[:-1]] = 0
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    middle = slice(border, border + side)
    own = np.stack(np.meshgrid(np.arange(border, border + side), np.arange(border, border + side)), -1)
    return point[labels[middle, middle]] - own.astype(np.float32), np.asarray(depth[middle, middle], np.float32)


def tile_maps(height: int, width: int, cell: float) -> tuple[Map, Pixels]:
    """Where each pixel takes its colour, a fixed-point map of `cv2.remap`, int16 `[H, W, 2]`, and the light on the
    tiles, uint8 `[H, W]`. cell: pixels of a tile."""
    way, depth = _pattern(cell)
    slope = np.clip(depth / (cell / 4), 0, 1)
    # Lit from the upper left: the near edges of a tile shine and the far ones are in shade.
    lit = 0.9 + 0.4 * (cv2.Sobel(slope, cv2.CV_32F, 1, 0) + cv2.Sobel(slope, cv2.CV_32F, 0, 1)) / 8
    grout = np.clip(depth / max(1.0, cell / 10), 0.25, 1.0)
    light = np.asarray((255 * np.clip(lit, 0.6, 1.0) * grout).round(), np.uint8)
    times = -(-height // len(way)), -(-width // len(way))
    source = np.tile(way.round().astype(np.int16), (*times, 1))[:height, :width]
    source[..., 0] += np.arange(width, dtype=np.int16)
    source[..., 1] += np.arange(height, dtype=np.int16)[:, None]
    # At the border of the picture, the point of a tile may lie outside.
    np.clip(source, 0, np.array([width - 1, height - 1], np.int16), out=source)
    return source, np.tile(light, times)[:height, :width].copy()
