"""The picture before the first chunk: the control picture, or a plain card. Owned by the presenter's thread."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.records.frame import Frame
from streamvace.video.core.resize import fit_cover

_DARK, _LIGHT = 18, 34
_TEXT = (120, 124, 132, 255)


class Slate:
    """Always has a picture of the show's size."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self._card = _card(size)
        self._of: Frame | None = None
        self._fitted = self._card

    def picture(self, control: Frame | None) -> NDArray[np.uint8]:
        """uint8 `[H, W, 4]`: the control frame, fitted and opaque; without one the card."""
        if control is None:
            return self._card
        if control is not self._of:
            fitted = fit_cover(control.pixels, self._size).copy()
            fitted[..., 3] = 255
            self._of, self._fitted = control, fitted
        return self._fitted


def _card(size: tuple[int, int]) -> NDArray[np.uint8]:
    """A dark vertical gradient with one word: unobtrusive, and not mistaken for a fault."""
    width, height = size
    ramp = np.linspace(_LIGHT, _DARK, height).astype(np.uint8)
    card = np.empty((height, width, 4), dtype=np.uint8)
    card[..., :3] = ramp[:, None, None]
    card[..., 3] = 255
    scale = width / 640
    (text_width, text_height), _ = cv2.getTextSize("streamvace", cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    at = ((width - text_width) // 2, (height + text_height) // 2)
    cv2.putText(card, "streamvace", at, cv2.FONT_HERSHEY_SIMPLEX, scale, _TEXT, 1, cv2.LINE_AA)
    return card
