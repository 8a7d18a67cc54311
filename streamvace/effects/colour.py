"""Brightness, saturation and hue as one matrix: the three together cost no more than one."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.effects.look import Look

Pixels = NDArray[np.uint8]

_LUMA: Final = np.array([0.2126, 0.7152, 0.0722])
"""Rec. 709: what a picture without saturation keeps."""


def colour_matrix(look: Look) -> NDArray[np.float64]:
    """`[3, 3]` for RGB columns: hue first, then saturation, then brightness.

    The hue turns about the grey axis, so greys stay and 120 degrees put each channel into the next one.
    """
    turn = math.radians(look.hue)
    along, across = math.cos(turn), math.sin(turn)
    mean, skew = (1 - along) / 3, across / math.sqrt(3)
    hue = np.full((3, 3), mean)
    hue += np.array([[along, -skew, skew], [skew, along, -skew], [-skew, skew, along]])
    saturation = look.saturation * np.eye(3) + (1 - look.saturation) * _LUMA
    matrix: NDArray[np.float64] = look.brightness * (saturation @ hue)
    return matrix


class Colour:
    """Applies the matrix. For one thread: its buffers are reused."""

    def __init__(self) -> None:
        self._rgb = np.empty((0, 0, 3), np.uint8)
        self._turned = self._rgb

    def __call__(self, picture: Pixels, look: Look) -> Pixels:
        """A new picture, uint8 `[H, W, 4]`; its alpha is that of `picture`."""
        if self._rgb.shape[:2] != picture.shape[:2]:
            self._rgb = np.empty((*picture.shape[:2], 3), np.uint8)
            self._turned = np.empty_like(self._rgb)
        # Three channels: OpenCV has no fast path for a matrix of four channels of bytes.
        cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB, dst=self._rgb)
        cv2.transform(self._rgb, colour_matrix(look), dst=self._turned)
        done = np.asarray(cv2.cvtColor(self._turned, cv2.COLOR_RGB2RGBA), np.uint8)
        cv2.mixChannels([picture], [done], [3, 3])
        return done
