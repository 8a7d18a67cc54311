"""A trail: earlier pictures stay visible and fade."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


class Trail:
    """A running mean of pictures. For one thread."""

    def __init__(self) -> None:
        # Floats: in bytes, rounding would leave the last levels of a picture for ever.
        self._mean: NDArray[np.float32] | None = None

    def __call__(self, picture: Pixels, half_life_s: float, elapsed_s: float) -> Pixels:
        """The picture over what is left of those before, uint8 `[H, W, 4]`; new unless it is the first.

        half_life_s: above 0, when half of an earlier picture is left. elapsed_s: since the call before, so that the
        trail has the same length at every output rate.
        """
        if self._mean is None or self._mean.shape != picture.shape:
            self._mean = picture.astype(np.float32)
            return picture
        cv2.accumulateWeighted(picture, self._mean, 1 - 0.5 ** (elapsed_s / half_life_s))
        return np.asarray(cv2.convertScaleAbs(self._mean), np.uint8)

    def forget(self) -> None:
        """Begin anew with the next picture. Keeps no memory."""
        self._mean = None
