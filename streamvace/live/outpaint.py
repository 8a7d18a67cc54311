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

    def place(self, pictures: Pixels, around: int | None = UNKNOWN) -> Pixels:
        """The input on the picture, and `around` it this value; None goes on with the colours of the input's edge.

        pictures: uint8 `[F, H, W]` or `[F, H, W, C]`. Returns the same shape. A picture held for several frames is
        scaled once.
        """
        height, width = pictures.shape[1:3]
        canvas = np.full_like(pictures, UNKNOWN if around is None else around)
        inner, (rows, columns), (top, left) = self._windows(width, height)
        if rows.stop <= rows.start or columns.stop <= columns.start:
            return canvas
        for index, picture in enumerate(pictures):
            if index and np.array_equal(picture, pictures[index - 1]):
                canvas[index] = canvas[index - 1]
                continue
            # Area averages, so that nothing flickers; the input never grows.
            scaled = np.asarray(cv2.resize(picture, inner, interpolation=cv2.INTER_AREA), np.uint8)
            cut = scaled[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
            if around is None:
                borders = rows.start, height - rows.stop, columns.start, width - columns.stop
                canvas[index] = cv2.copyMakeBorder(cut, *borders, cv2.BORDER_REPLICATE)
            else:
                canvas[index][rows, columns] = cut
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
