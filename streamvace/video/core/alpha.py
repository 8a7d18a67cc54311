"""Straight and premultiplied alpha, converted only where an address asks for it.

Straight: colours are independent of alpha. Premultiplied: colours have been multiplied by alpha. Frames are straight
everywhere in streamvace. A texture does not say which it is, so nothing here guesses.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def to_premultiplied(straight: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 `[H, W, 4]` straight to premultiplied: each colour c becomes c * alpha / 255, rounded to nearest.

    An opaque picture is returned itself.
    """
    alpha = straight[..., 3]
    if _opaque(alpha):
        return straight
    return np.asarray(cv2.multiply(straight, _weights(alpha), scale=1 / 255), dtype=np.uint8)


def to_straight(premultiplied: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 `[H, W, 4]` premultiplied to straight: each colour c becomes c * 255 / alpha, rounded to nearest, halves to
    even.

    Colours above their alpha, which a premultiplied picture cannot have, become 255; where alpha is 0, colours become
    black. `to_premultiplied` restores a premultiplied picture exactly. An opaque picture is returned itself.
    """
    alpha = premultiplied[..., 3]
    if _opaque(alpha):
        return premultiplied
    return np.asarray(cv2.divide(premultiplied, _weights(alpha), scale=255), dtype=np.uint8)


def _opaque(alpha: NDArray[np.uint8]) -> bool:
    return bool((alpha == 255).all())


def _weights(alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Alpha for the three colours and 255 for alpha itself."""
    return np.asarray(cv2.merge([alpha, alpha, alpha, np.full_like(alpha, 255)]), dtype=np.uint8)
