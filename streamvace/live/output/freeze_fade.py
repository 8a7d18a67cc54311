"""A late chunk bridged calmly: the last picture freezes, then slowly loses its outlines. Its colours and light stay, so
it never goes black, and nobody takes it for a fault. Owned by the presenter's thread."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_FREEZE_S = 0.5
"""An ordinary late chunk is over by then, and was only held."""

_FADE_S = 2.0

_SOFTNESS = 12
"""The longer side over this is what is left of detail."""


class FreezeFade:
    """Blends the held picture into a soft copy of itself. The copy is made once a picture."""

    def __init__(self) -> None:
        self._of: Pixels | None = None
        self._soft: Pixels | None = None

    def picture(self, held: Pixels, bridged_s: float) -> Pixels:
        """held: uint8 `[H, W, 4]`. bridged_s: since a new frame was due. The alpha plane stays as it is."""
        share = _share(bridged_s)
        if share <= 0:
            return held
        if self._of is not held or self._soft is None:
            self._of, self._soft = held, _softened(held)
        return self._soft if share >= 1 else _blend(held, self._soft, share)


def _share(bridged_s: float) -> float:
    """0 sharp .. 1 soft, with a gentle start and end."""
    linear = min(1.0, max(0.0, (bridged_s - _FREEZE_S) / _FADE_S))
    return linear * linear * (3 - 2 * linear)


def _blend(held: Pixels, soft: Pixels, share: float) -> Pixels:
    blended: Pixels = cv2.addWeighted(held, 1 - share, soft, share, 0)
    return blended


def _softened(picture: Pixels) -> Pixels:
    height, width = picture.shape[:2]
    step = max(height, width) / _SOFTNESS
    small = cv2.resize(
        picture, (max(2, round(width / step)), max(2, round(height / step))), interpolation=cv2.INTER_AREA
    )
    soft: Pixels = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    soft[..., 3] = picture[..., 3]
    return soft
