"""Reference pictures: fitted on white and encoded one by one (VACE's reference-to-video layout)."""

from __future__ import annotations

import numpy as np

from streamvace.conditioning.controls.base import letterboxed
from streamvace.records.chunk import Pixels


def fit_on_white(image: Pixels, size: tuple[int, int]) -> Pixels:
    """A reference in the show's size: the whole picture, centred on white, as in VACE's training.

    image: uint8 `[h, w, 3]`, or `[h, w, 4]` with straight alpha, which is composited on white. size: (width, height).
    Returns uint8 `[height, width, 3]`.
    """
    if image.shape[2] == 4:
        alpha = image[..., 3:].astype(np.float32) / 255
        image = np.rint(image[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return letterboxed(image, size, 255)[0]
