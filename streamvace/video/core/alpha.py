"""Straight and premultiplied alpha, converted only where an address asks for it.

Straight: the colours are what they are, alpha says how much of them shows. Premultiplied: the colours have been
multiplied by alpha already. Frames are straight everywhere in streamvace. Nothing in a texture says which it is, so
nothing here guesses.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def to_premultiplied(straight: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 `[H, W, 4]` straight to premultiplied: each colour c becomes c * alpha / 255, rounded to nearest.

    An opaque picture is returned as it is, not copied.
    """
    alpha = straight[..., 3]
    if _opaque(alpha):
        return straight
    return np.asarray(cv2.multiply(straight, _weights(alpha), scale=1 / 255), dtype=np.uint8)


def to_straight(premultiplied: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 `[H, W, 4]` premultiplied to straight: each colour c becomes c * 255 / alpha, rounded to nearest, halves to
    even.

    Colours above their alpha, which no premultiplied picture has, become 255; where alpha is 0 there is no colour left
    and it becomes black. What comes out converts back to exactly what went in. An opaque picture is returned as it is,
    not copied.
    """
    alpha = premultiplied[..., 3]
    if _opaque(alpha):
        return premultiplied
    return np.asarray(cv2.divide(premultiplied, _weights(alpha), scale=255), dtype=np.uint8)


def _opaque(alpha: NDArray[np.uint8]) -> bool:
    return bool((alpha == 255).all())


def _weights(alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Alpha for the three colours, and 1 for alpha itself, in the scale of 255."""
    return np.asarray(cv2.merge([alpha, alpha, alpha, np.full_like(alpha, 255)]), dtype=np.uint8)
