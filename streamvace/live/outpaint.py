"""Outpainting: the input stands smaller or aside on the picture, and the model paints what is around it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from streamvace.chunk import Pixels
from streamvace.live.parameters import Snapshot

UNKNOWN = 128
"""Mid grey is what VACE was trained to see where there is nothing yet."""


@dataclass(frozen=True)
class Placement:
    """Where the input stands on the picture.

    x, y: of its middle, 0..1 of the picture's width and height. scale: its size, 1 fills the picture.
    """

    x: float = 0.5
    y: float = 0.5
    scale: float = 1.0

    @classmethod
    def of(cls, snapshot: Snapshot) -> Placement:
        """What the parameters say."""
        return cls(*(snapshot.number(f"/streamvace/outpaint/{name}") for name in ("x", "y", "scale")))

    @property
    def outpaints(self) -> bool:
        """Whether anything is left to paint around the input."""
        return self != Placement()

    def place(self, pictures: Pixels, around: int = UNKNOWN) -> Pixels:
        """The input on the picture, and `around` it this value.

        pictures: uint8 `[F, H, W]` or `[F, H, W, C]`. Returns the same shape. A picture held for several frames is
        scaled once.
        """
        frames, height, width = pictures.shape[:3]
        canvas = np.full_like(pictures, around)
        inner, window, (top, left) = self._windows(width, height)
        if window[0].stop <= window[0].start or window[1].stop <= window[1].start:
            return canvas
        last: Pixels | None = None
        scaled = pictures[0]
        for index in range(frames):
            if last is None or not np.array_equal(pictures[index], last):
                last = pictures[index]
                # Area averages, so that nothing flickers; the input never grows.
                scaled = np.asarray(cv2.resize(last, inner, interpolation=cv2.INTER_AREA), np.uint8)
            canvas[index][window] = scaled[max(0, -top) : height - top, max(0, -left) : width - left]
        return canvas

    def outside(self, frames: int, width: int, height: int) -> Pixels:
        """The mask of what is around the input: uint8 `[F, H, W]`, 255 = generate."""
        mask = np.full((frames, height, width), 255, np.uint8)
        _, window, _ = self._windows(width, height)
        mask[(slice(None), *window)] = 0
        return mask

    def _windows(self, width: int, height: int) -> tuple[tuple[int, int], tuple[slice, slice], tuple[int, int]]:
        """(width, height) of the scaled input, the part of the picture that it covers, its (top, left), maybe outside.

        Whole pixels: the input is pasted, never blended between two.
        """
        inner = max(1, round(width * self.scale)), max(1, round(height * self.scale))
        left, top = round(self.x * width - inner[0] / 2), round(self.y * height - inner[1] / 2)
        rows = slice(max(0, top), max(0, min(height, top + inner[1])))
        columns = slice(max(0, left), max(0, min(width, left + inner[0])))
        return inner, (rows, columns), (top, left)
