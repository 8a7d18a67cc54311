"""Threshold maps of printing screens: a place is inked where the picture is brighter than the map.

Each map is levelled: a grey of 40 % inks 40 % of the area, whatever the shape of its dots or strokes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


def _waves(count: int, cell: float, phase: float = 0.0) -> tuple[Floats, Floats]:
    """Sine and cosine of one turn per cell, at `count` pixels."""
    turn = (2 * np.pi * (np.arange(count, dtype=np.float32) / np.float32(cell) + phase)).astype(np.float32)
    return np.sin(turn), np.cos(turn)


def dots(height: int, width: int, cell: float) -> Floats:
    """A grid of round dots at 45 degrees."""
    # Two waves along the diagonals are a product of two along the sides: far cheaper than a cosine for every pixel.
    # Only every second field of the product is a dot, so the grid stands on its corner.
    (_, down), (_, across) = _waves(height, 2 * cell), _waves(width, 2 * cell)
    product: Floats = np.outer(down, across)
    return product


def lines(height: int, width: int, cell: float) -> Floats:
    """Level lines, one per cell."""
    _, down = _waves(height, cell)
    return np.broadcast_to(down[:, None], (height, width))


def strokes(height: int, width: int, cell: float) -> Floats:
    """Hatching: strokes of one direction in the dark, of a second and a third where it is brighter."""
    (sin_y, cos_y), (sin_x, cos_x) = _waves(height, 1.4 * cell), _waves(width, 1.4 * cell)
    cosines, sines = np.outer(cos_y, cos_x), np.outer(sin_y, sin_x)
    _, level = _waves(height, cell, 0.25)
    # The later directions start further down: they are inked only where the earlier ones are nearly solid.
    falling, rising = cosines - sines, cosines + sines - 1.0
    first = np.maximum(falling, rising)
    crossed: Floats = np.maximum(first, level[:, None] - 2.0)
    return crossed


MAPS: Final[dict[str, Callable[[int, int, float], Floats]]] = {"halftone": dots, "lines": lines, "hatching": strokes}
"""Screen -> its waves, `[H, W]`: what is higher is inked earlier."""

_STEPS: Final = 4096
"""Heights that are told apart when the map is levelled."""


def threshold_map(name: str, height: int, width: int, cell: float) -> Pixels:
    """uint8 `[H, W]`: 0 is inked first, 255 last, each level in an equal share of the area."""
    # Of every third row and column: the waves repeat, and a count of all would cost more than the map.
    return levelled(MAPS[name](height, width, cell), every=3)


def levelled(waves: NDArray[np.floating], every: int = 1) -> Pixels:
    """Heights `[H, W]` as levels, uint8 `[H, W]`: 0 is the highest, each level has an equal share of the area.

    every: counts only every so many rows and columns.
    """
    low, high = float(waves.min()), float(waves.max())
    steps = ((high - waves) * ((_STEPS - 1) / (high - low))).astype(np.uint16)
    sample = steps[::every, ::every]
    counts = np.bincount(sample.ravel(), minlength=_STEPS)
    # The middle of each step's share, so that a step of many equal places is half before and half after itself.
    share = (np.cumsum(counts) - counts / 2) / sample.size
    levels: Pixels = (255 * share).round().astype(np.uint8)
    done: Pixels = np.take(levels, steps)
    return done
