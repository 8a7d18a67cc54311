"""Reference pictures: fitted on white, each encoded alone (VACE's reference-to-video layout)."""

from __future__ import annotations

import cv2
import numpy as np

from streamvace.records.chunk import Pixels


def fit_on_white(image: Pixels, size: tuple[int, int]) -> Pixels:
    """A picture as a reference of the show's size: whole, centred, on white, as VACE was trained with.

    image: uint8 `[h, w, 3]`, or `[h, w, 4]` with straight alpha, which lets the white through. size: (width, height).
    Returns uint8 `[height, width, 3]`.
    """
    if image.shape[2] == 4:
        alpha = image[..., 3:].astype(np.float32) / 255
        image = np.rint(image[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    width, height = size
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    # Area averages when shrinking: bilinear would skip pixels and let thin lines flicker with the size.
    fitted = cv2.resize(image, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    canvas = np.full((height, width, 3), 255, np.uint8)
    top, left = (height - inner[1]) // 2, (width - inner[0]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = fitted
    return canvas
