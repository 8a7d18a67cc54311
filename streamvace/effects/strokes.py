"""Strokes that follow the form: hair of noise, combed in many directions, and the direction at each place of a picture.

Strokes stand still on the wall, as all screens do; only their direction follows the picture. Where the picture has no
direction, they lie on a diagonal.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.effects.thresholds import levelled

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

DIRECTIONS: Final = 16
"""Of the hair, over half a turn; a power of two. Neighbours differ by 11 degrees, which no eye sees where they meet."""
FINE, COARSE = 4, 8
"""Pixels of a cell in the hair. A stroke is half as wide; of COARSE, its outline still is round when it is enlarged."""
PERIOD: Final = 256
"""Pixels after which the hair repeats: 32 cells or more, and the directions of a picture hide the rest."""
_LENGTH: Final = 1.6
"""Cells of a stroke, as the deviation of its blur."""
_REST: Final = 40.0
"""Slope in levels a cell that the resting direction counts as: it outweighs the noise of a picture."""


@cache
def hair(cell: int) -> Pixels:
    """uint8 `[DIRECTIONS * PERIOD, PERIOD]`: one tile a direction, one below the other. cell: FINE or COARSE.

    Each level has an equal share of a tile, so a tile is a threshold map.
    """
    rng = np.random.default_rng(11)
    spectrum = np.fft.rfft2(rng.normal(size=(PERIOD, PERIOD)))
    fy = np.fft.fftfreq(PERIOD)[:, None]
    fx = np.fft.rfftfreq(PERIOD)[None, :]
    tiles = np.empty((DIRECTIONS, PERIOD, PERIOD), np.uint8)
    for number in range(DIRECTIONS):
        angle = np.pi * number / DIRECTIONS
        along = fx * np.cos(angle) + fy * np.sin(angle)
        across = np.abs(fy * np.cos(angle) - fx * np.sin(angle))
        # One stroke and one gap a cell across, and a long blur along.
        comb = np.exp(-(((across - 1 / cell) * 2.5 * cell) ** 2) - 2 * (np.pi * _LENGTH * cell * along) ** 2)
        tiles[number] = levelled(np.fft.irfft2(spectrum * comb, (PERIOD, PERIOD)))
    return tiles.reshape(DIRECTIONS * PERIOD, PERIOD)


@cache
def bristles(cell: int) -> Pixels:
    """The light on that hair as a relief of paint, uint8 `[DIRECTIONS * PERIOD, PERIOD]`: 128 is level."""
    tiles = hair(cell).reshape(DIRECTIONS, PERIOD, PERIOD).astype(np.int16)
    # Lit from the upper left: a slope that rises to the right and downwards faces the light.
    slope = (np.roll(tiles, -1, 1) - np.roll(tiles, 1, 1)) + (np.roll(tiles, -1, 2) - np.roll(tiles, 1, 2))
    return np.asarray(np.clip(128 + slope // 4, 0, 255), np.uint8).reshape(DIRECTIONS * PERIOD, PERIOD)


def directions(bright: Pixels, spread: float, size: tuple[int, int]) -> Floats:
    """Along the form at each place, in tiles of `hair`: float32 `[H, W]` in 0..DIRECTIONS.

    bright: uint8 `[h, w]`. spread: pixels of it over which slopes are averaged. size: (W, H).
    """
    gx, gy = (cv2.Sobel(bright, cv2.CV_32F, dx, dy, scale=1 / 8) for dx, dy in ((1, 0), (0, 1)))
    # Slopes as double angles, so that both sides of a line count alike.
    level, slant = cv2.subtract(cv2.multiply(gx, gx), cv2.multiply(gy, gy)), cv2.multiply(gx, gy, scale=2)
    level, slant = (cv2.resize(cv2.GaussianBlur(each, (0, 0), spread), size) for each in (level, slant))
    # Without a slope, it is -45 degrees: twice that is straight up.
    steep = (_REST / (4 * spread)) ** 2
    turn = cv2.phase(level, cv2.subtract(slant, steep))
    # Strokes are at a right angle to the slope, and half a turn of them is a turn here.
    tiles: Floats = turn * np.float32(DIRECTIONS / (2 * np.pi)) + np.float32(DIRECTIONS / 2)
    # A remainder of floats would take five times as long.
    np.subtract(tiles, DIRECTIONS, out=tiles, where=tiles >= DIRECTIONS)
    return tiles


def combed(tiles: Pixels, direction: Floats) -> Pixels:
    """The hair in the direction of each place, uint8 `[H, W]`. tiles: `hair` or `bristles`. direction: of
    `directions`, `[H, W]`."""
    height, width = direction.shape
    row, column = np.arange(height, dtype=np.int16)[:, None] % PERIOD, np.arange(width, dtype=np.int16) % PERIOD
    below = direction.astype(np.int16)
    above = (below + 1) & (DIRECTIONS - 1)
    column = np.broadcast_to(column, below.shape)
    near, far = (
        cv2.remap(tiles, cv2.merge([column, each * np.int16(PERIOD) + row]), None, cv2.INTER_NEAREST)
        for each in (below, above)
    )
    share = direction - below
    return np.asarray(cv2.blendLinear(near, far, 1 - share, share), np.uint8)
