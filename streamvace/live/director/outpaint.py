"""Outpainting: the input stands smaller or aside on the picture, and the model paints what is around it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from streamvace.control.parameters import Snapshot
from streamvace.records.chunk import Pixels

UNKNOWN = 128
"""Mid grey is what VACE was trained to see where there is nothing yet."""


@dataclass(frozen=True)
class Placement:
    """Where the input stands on the picture.

    x, y: of its middle, 0..1 of the picture's width and height. scale: its size, 0..1, 1 fills the picture.
    """

    x: float = 0.5
    y: float = 0.5
    scale: float = 1.0

    @classmethod
    def of(cls, snapshot: Snapshot) -> Placement | None:
        """What the parameters say; None while there is no outpainting."""
        if not snapshot.flag("/streamvace/outpaint/on"):
            return None
        return cls(*(snapshot.number(f"/streamvace/outpaint/{name}") for name in ("x", "y", "scale")))

    def place(self, pictures: Pixels, around: int | None = UNKNOWN) -> Pixels:
        """The input on the picture, and `around` it this value; None goes on with the colours of the input's edge.

        pictures: uint8 `[F, H, W]` or `[F, H, W, C]`. Returns the same shape.
        """
        return self.canvas(self.cut(pictures), pictures.shape[2], pictures.shape[1], around)

    def cut(self, pictures: Pixels) -> Pixels:
        """What is seen of the scaled input: uint8 `[F, h, w]` or `[F, h, w, C]`, maybe of no size.

        A picture held for several frames is scaled once.
        """
        inner, (rows, columns), (top, left) = self._windows(pictures.shape[2], pictures.shape[1])
        seen = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
        size = rows.stop - rows.start, columns.stop - columns.start
        cut = np.empty((len(pictures), *size, *pictures.shape[3:]), np.uint8)
        for index, picture in enumerate(pictures):
            if index and np.array_equal(picture, pictures[index - 1]):
                cut[index] = cut[index - 1]
            else:
                # Area averages, so that nothing flickers; the input never grows.
                cut[index] = cv2.resize(picture, inner, interpolation=cv2.INTER_AREA)[seen]
        return cut

    def canvas(self, cut: Pixels, width: int, height: int, around: int | None) -> Pixels:
        """The picture with `cut` at its place."""
        _, (rows, columns), _ = self._windows(width, height)
        if cut.size == 0:
            return np.full((len(cut), height, width, *cut.shape[3:]), UNKNOWN if around is None else around, np.uint8)
        canvas = np.empty((len(cut), height, width, *cut.shape[3:]), np.uint8)
        borders = rows.start, height - rows.stop, columns.start, width - columns.stop
        kind = cv2.BORDER_REPLICATE if around is None else cv2.BORDER_CONSTANT
        for picture, whole in zip(cut, canvas, strict=True):
            cv2.copyMakeBorder(picture, *borders, kind, dst=whole, value=[around or 0] * 4)
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
        rows, columns = _overlap(top, inner[1], height), _overlap(left, inner[0], width)
        return inner, (rows, columns), (top, left)


def _overlap(start: int, length: int, whole: int) -> slice:
    """What lies within 0..whole of a stretch; an empty slice where nothing does."""
    first = min(max(0, start), whole)
    return slice(first, max(first, min(whole, start + length)))
