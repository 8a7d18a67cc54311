"""Oil: patches of one colour each whose borders are those of the picture, with the relief of a brush along the form."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.effects.grid import Grid
from streamvace.effects.strokes import bristles, combed, directions

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

_DETAIL: Final = 5.0
"""Pixels of a cell at which the patches are made."""
_REACH: Final = 2
"""Pixels from a place to the middle of each window around it."""
_WINDOW: Final = 2 * _REACH + 1
_SAME: Final = 6.0
"""Variance in squared levels below which windows count as equally even."""
_SECTORS: Final = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2))
"""Windows around a place, as (row, column) in units of the reach from the upper left one."""


def patches(picture: Pixels) -> Pixels:
    """Each place gets the colour of the most even window beside it (Kuwahara, 1976, with eight windows that are weighed
    by their evenness). uint8 `[h, w, 3]`."""
    height, width = picture.shape[:2]
    wide = cv2.copyMakeBorder(picture, *(_REACH,) * 4, cv2.BORDER_REFLECT_101)
    window, border = (_WINDOW, _WINDOW), cv2.BORDER_REFLECT_101
    means = [plane.astype(np.float32) for plane in cv2.split(cv2.blur(wide, window, borderType=border))]
    grey = cv2.cvtColor(wide, cv2.COLOR_RGB2GRAY).astype(np.float32)
    level = cv2.blur(grey, window, borderType=border)
    spread = cv2.sqrBoxFilter(grey, cv2.CV_32F, window, borderType=border) - level * level
    even: Floats = 1 / np.square(np.maximum(spread, 0) + np.float32(_SAME))
    totals = np.zeros((3, height, width), np.float32)
    weight = np.zeros((height, width), np.float32)
    for down, right in _SECTORS:
        part = slice(_REACH * down, _REACH * down + height), slice(_REACH * right, _REACH * right + width)
        cv2.accumulate(even[part], weight)
        for total, mean in zip(totals, means, strict=True):
            cv2.accumulateProduct(mean[part], even[part], total)
    return np.asarray(cv2.merge([cv2.convertScaleAbs(total / weight) for total in totals]), np.uint8)


def brushed(picture: Pixels, grid: Grid) -> Pixels:
    """Paint in the colours of the picture."""
    small = patches(grid.small(picture, _DETAIL))
    bright = cv2.cvtColor(grid.small(small, 2.0), cv2.COLOR_RGB2GRAY)
    relief = combed(bristles(grid.stroke), directions(np.asarray(bright, np.uint8), 2.0, grid.brush))
    paint = cv2.resize(small, grid.brush, interpolation=cv2.INTER_CUBIC)
    lit = cv2.multiply(paint, cv2.cvtColor(relief, cv2.COLOR_GRAY2RGB), scale=1 / 128)
    return grid.large(np.asarray(lit, np.uint8))
