"""Straight and premultiplied alpha, converted only where an address asks for it.

Straight: the colours are what they are, alpha says how much of them shows. Premultiplied: the colours have been
multiplied by alpha already. Frames are straight everywhere in streamvace. Nothing in a texture says which it is, so
nothing here guesses.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def to_premultiplied(straight: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 `[H, W, 4]` straight to premultiplied: each colour c becomes c * alpha / 255, rounded to nearest.

    An opaque picture is returned as it is, not copied.
    """
    return _looked_up(_PREMULTIPLIED, straight)


def to_straight(premultiplied: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 `[H, W, 4]` premultiplied to straight: each colour c becomes c * 255 / alpha, rounded to nearest (half up).

    Colours above their alpha, which no premultiplied picture has, become 255; where alpha is 0 there is no colour left
    and it becomes black. What comes out converts back to exactly what went in. An opaque picture is returned as it is,
    not copied.
    """
    return _looked_up(_STRAIGHT, premultiplied)


def _premultiplied_table() -> NDArray[np.uint8]:
    """`[alpha, colour]`; 255 is odd, so no quotient lies halfway between two whole numbers."""
    alpha, colour = np.ogrid[0:256, 0:256]
    return ((alpha * colour + 127) // 255).astype(np.uint8)


def _straight_table() -> NDArray[np.uint8]:
    """`[alpha, colour]`"""
    alpha, colour = np.ogrid[0:256, 0:256]
    return np.where(alpha > 0, np.minimum(255, (colour * 510 + alpha) // np.maximum(1, 2 * alpha)), 0).astype(np.uint8)


_PREMULTIPLIED = _premultiplied_table().ravel()
_STRAIGHT = _straight_table().ravel()


def _looked_up(table: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    # A table of 64 KiB: per pixel one addition and one look, where a division would cost several times as much.
    alpha = pixels[..., 3]
    if bool((alpha == 255).all()):
        return pixels
    converted = np.empty_like(pixels)
    row = alpha.astype(np.uint16)[..., None] << 8
    converted[..., :3] = table[row + pixels[..., :3]]
    converted[..., 3] = alpha
    return converted
