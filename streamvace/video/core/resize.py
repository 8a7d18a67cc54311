"""Fitting pictures to the size of the show."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def fit_cover(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Scale so that the picture covers `size`, and crop the excess evenly on both sides.

    pixels: uint8 `[H, W, 4]`; size: (width, height). Returns uint8 `[height, width, 4]`, C-contiguous; the input itself
    if it fits already. The four channels are scaled independently, without premultiplying: alpha is a mask, and the
    colours below a transparent mask matter as much as the others.
    """
    width, height = size
    window = _covering_window(pixels, size)
    if window.shape[:2] == (height, width):
        return np.ascontiguousarray(window)
    # INTER_AREA averages when it shrinks, which avoids flicker; when it enlarges it only repeats pixels.
    shrinks = window.shape[0] >= height and window.shape[1] >= width
    scaled = cv2.resize(window, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(scaled, dtype=np.uint8)


def _covering_window(pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The largest centred part of the picture with the aspect ratio of `size`. Cropping first leaves less to scale."""
    width, height = size
    have_height, have_width = pixels.shape[:2]
    if have_width * height > have_height * width:
        keep = max(1, round(have_height * width / height))
        left = (have_width - keep) // 2
        return pixels[:, left : left + keep]
    keep = max(1, round(have_width * height / width))
    top = (have_height - keep) // 2
    return pixels[top : top + keep]


def with_alpha(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """uint8 `[H, W, 3]` RGB to `[H, W, 4]` RGBA, straight. alpha: uint8 `[H, W]`, or None: opaque."""
    rgba = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA), dtype=np.uint8)
    if alpha is not None:
        rgba[..., 3] = alpha
    return rgba
