"""Pictures of drivers and libraries as uint8 RGBA."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_TO_RGBA = {1: cv2.COLOR_GRAY2RGBA, 3: cv2.COLOR_BGR2RGBA, 4: cv2.COLOR_BGRA2RGBA}


def rgba_of_bgr(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """OpenCV's picture as uint8 `[H, W, 4]` RGBA, opaque unless it has an alpha.

    pixels: `[H, W]`, `[H, W, 1]` (grey, depth), `[H, W, 3]` (BGR) or `[H, W, 4]` (BGRA); uint8, uint16 of full range
    (its upper byte is kept), or float of 0..1 (clipped; NaN and infinity become 0). The dtype decides the range, never
    the content: a dark picture stays dark. Raises ValueError for everything else and for an empty picture.
    """
    channels = 1 if pixels.ndim == 2 else pixels.shape[2] if pixels.ndim == 3 else 0
    if channels not in _TO_RGBA or 0 in pixels.shape:
        raise ValueError(f"a picture of {pixels.dtype} {list(pixels.shape)}; it takes [H, W] with 1, 3 or 4 channels")
    return np.asarray(cv2.cvtColor(_eight_bit(pixels), _TO_RGBA[channels]), dtype=np.uint8)


def _eight_bit(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.uint16:
        return np.asarray(pixels >> 8, dtype=np.uint8)
    if np.issubdtype(pixels.dtype, np.floating):
        finite = np.nan_to_num(pixels, nan=0.0, posinf=0.0, neginf=0.0)
        return np.asarray(np.rint(np.clip(finite, 0.0, 1.0) * 255), dtype=np.uint8)
    raise ValueError(f"a picture of {pixels.dtype}; it takes uint8, uint16 of full range, or float of 0..1")
