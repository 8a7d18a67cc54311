"""Bridges a late chunk: the last picture freezes, then slowly blurs. Its colours and brightness stay, so it never goes
black and does not look like a fault. Owned by the presenter's thread."""

from __future__ import annotations

import cv2

from streamvace.records.chunk import Pixels

_FREEZE_S = 0.5
"""Longer than an ordinary late chunk, which is only held."""

_FADE_S = 2.0

_SOFTNESS = 12
"""The smallest detail of the soft picture is its longer side over this."""


class FreezeFade:
    """Blends the held picture into a blurred copy of itself. The copy is made once per picture."""

    def __init__(self) -> None:
        self._of: Pixels | None = None
        self._soft: Pixels | None = None

    def picture(self, held: Pixels, bridged_s: float) -> Pixels:
        """The picture to show. held: uint8 `[H, W, 4]`; its alpha stays. bridged_s: since a new frame was due."""
        share = _share(bridged_s)
        if share <= 0:
            return held
        if self._of is not held or self._soft is None:
            self._of, self._soft = held, _softened(held)
        if share >= 1:
            return self._soft
        blended: Pixels = cv2.addWeighted(held, 1 - share, self._soft, share, 0)
        return blended


def _share(bridged_s: float) -> float:
    """0 sharp .. 1 soft; smoothstep."""
    linear = min(1.0, max(0.0, (bridged_s - _FREEZE_S) / _FADE_S))
    return linear * linear * (3 - 2 * linear)


def _softened(picture: Pixels) -> Pixels:
    height, width = picture.shape[:2]
    step = max(height, width) / _SOFTNESS
    coarse = max(2, round(width / step)), max(2, round(height / step))
    small = cv2.resize(picture, coarse, interpolation=cv2.INTER_AREA)
    soft: Pixels = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    soft[..., 3] = picture[..., 3]
    return soft
