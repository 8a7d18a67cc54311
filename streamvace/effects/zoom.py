"""Zoom about the centre of the picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def zoomed(picture: Pixels, factor: float) -> Pixels:
    """uint8 `[H, W, 4]`, enlarged by `factor`. Below 1 the picture is mirrored at its edges, so no border shows."""
    height, width = picture.shape[:2]
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    matrix = np.array([[factor, 0, centre_x * (1 - factor)], [0, factor, centre_y * (1 - factor)]])
    moved = cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.uint8)
