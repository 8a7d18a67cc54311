"""After a reset, the output crosses from the last picture before it to the new history instead of cutting."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


class Crossing:
    """One output picture after the other. For one thread."""

    def __init__(self) -> None:
        self._shown: Pixels | None = None
        self._before: Pixels | None = None
        self._history = 0
        self._passed_s = 0.0

    def __call__(self, picture: Pixels, history: int, *, hard: int, seconds: float, elapsed_s: float) -> Pixels:
        """The picture over what is left of the one before the reset, uint8 `[H, W, 4]`; the picture itself after
        `seconds` and without a reset.

        history: number of the picture's history. hard: number of the last history that began with a hard cut.
        elapsed_s: since the call before.
        """
        if history != self._history:
            self._before = None if self._history < hard <= history else self._shown
            self._history, self._passed_s = history, 0.0
        else:
            self._passed_s += elapsed_s
        before = self._before
        if before is None or before.shape != picture.shape or self._passed_s >= seconds:
            self._before = None
        else:
            share = self._passed_s / seconds
            picture = np.asarray(cv2.addWeighted(before, 1 - share, picture, share, 0), np.uint8)
        self._shown = picture
        return picture
