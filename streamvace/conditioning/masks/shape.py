"""Operations on finished masks: combine two, invert, hold, grow or shrink, feather."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Pixels

COMBINE: Mapping[str, Callable[[Pixels, Pixels], Pixels]] = {
    "union": lambda first, second: np.maximum(first, second),
    "intersection": lambda first, second: np.minimum(first, second),
    "difference": lambda first, second: np.minimum(first, 255 - second),
}
"""Functions of two masks uint8 `[H, W]`. Soft borders stay soft: fuzzy sets (Zadeh 1965)."""


@dataclass(frozen=True)
class Shaping:
    """invert: select the complement. grow: pixels; negative shrinks. feather: width of the soft border in pixels.
    hold: seconds for which a pixel stays selected, so that missed detections do not flicker."""

    invert: bool = False
    grow: int = 0
    feather: int = 0
    hold: float = 0.0


class MaskShaper:
    """Applies invert, hold, grow and feather, in this order: the hold acts on the inverted mask."""

    def __init__(self) -> None:
        self._last: Pixels | None = None
        self._seconds = 0.0

    def update(self, mask: Pixels, seconds: float, shaping: Shaping) -> Pixels:
        """uint8 `[H, W]` -> uint8 `[H, W]`. seconds: capture time of the picture."""
        mask = 255 - mask if shaping.invert else mask
        mask = self._held(mask, seconds, shaping.hold)
        return feathered(grown(mask, shaping.grow), shaping.feather)

    def reset(self) -> None:
        """Clear the history: nothing is held."""
        self._last = None

    def _held(self, mask: Pixels, seconds: float, hold: float) -> Pixels:
        """A pixel rises at once and fades over twice `hold`, so it stays above one half for `hold` seconds."""
        last, passed = self._last, max(seconds - self._seconds, 0.0)
        if hold > 0 and last is not None and last.shape == mask.shape:
            mask = np.maximum(mask, cv2.subtract(last, round(min(255.0, 127.5 * passed / hold))))
        self._last, self._seconds = mask, seconds
        return mask


def grown(mask: Pixels, pixels: int) -> Pixels:
    """The mask grown by this many pixels in every direction; a negative number shrinks it."""
    if pixels == 0:
        return mask
    # A large round brush is expensive; one square and two crosses in turn are nearly round.
    change = cv2.dilate if pixels > 0 else cv2.erode
    left = abs(pixels)
    for number in range(left):
        brush = _SQUARE if number % 3 == 0 else _CROSS
        mask = change(mask, brush, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(mask, dtype=np.uint8)


_SQUARE, _CROSS = (cv2.getStructuringElement(shape, (3, 3)) for shape in (cv2.MORPH_RECT, cv2.MORPH_CROSS))


def feathered(mask: Pixels, pixels: int) -> Pixels:
    """The mask with a soft border of about this many pixels, half of them on either side."""
    if pixels <= 0:
        return mask
    # Two box blurs make a triangle as wide as both together, far cheaper than a Gaussian of that size.
    side = (pixels // 2 + 1) | 1
    for _ in range(2):
        mask = cv2.blur(mask, (side, side), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(mask, dtype=np.uint8)
