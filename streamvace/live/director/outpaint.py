"""Outpainting: the input is placed smaller or off-centre, and the model paints the rest of the picture. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from streamvace.control.parameters import Snapshot
from streamvace.records.chunk import Pixels

UNKNOWN = 128
"""Mid grey: what VACE was trained to see where nothing is known."""


@dataclass(frozen=True)
class Placement:
    """Position and size of the input on the picture.

    x, y: its centre, 0..1 of the picture's width and height. scale: 0..1, its share of the picture's width and height.
    """

    x: float = 0.5
    y: float = 0.5
    scale: float = 1.0

    @classmethod
    def of(cls, snapshot: Snapshot) -> Placement | None:
        """The placement that the parameters ask for; None without outpainting."""
        if not snapshot.flag("/streamvace/outpaint/on"):
            return None
        return cls(*(snapshot.number(f"/streamvace/outpaint/{name}") for name in ("x", "y", "scale")))

    def place(self, pictures: Pixels, around: int | None = UNKNOWN) -> Pixels:
        """The placed input, filled up with the value `around`; None: with the colours of its edge.

        pictures: uint8 `[F, H, W]` or `[F, H, W, C]`. Returns the same shape.
        """
        return self.canvas(self.cut(pictures), pictures.shape[2], pictures.shape[1], around)

    def cut(self, pictures: Pixels) -> Pixels:
        """The visible part of the scaled input: uint8 `[F, h, w]` or `[F, h, w, C]`; h and w can be 0.

        Equal pictures in a row are scaled once.
        """
        inner, (rows, columns), (top, left) = self._windows(pictures.shape[2], pictures.shape[1])
        seen = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
        size = rows.stop - rows.start, columns.stop - columns.start
        cut = np.empty((len(pictures), *size, *pictures.shape[3:]), np.uint8)
        for index, picture in enumerate(pictures):
            if index and np.array_equal(picture, pictures[index - 1]):
                cut[index] = cut[index - 1]
            else:
                # Area averages avoid flicker; the input is never enlarged.
                cut[index] = cv2.resize(picture, inner, interpolation=cv2.INTER_AREA)[seen]
        return cut

    def canvas(self, cut: Pixels, width: int, height: int, around: int | None) -> Pixels:
        """A picture of width x height with `cut` at its place; around: see `place`."""
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
        """The mask of everything around the input: uint8 `[F, H, W]`, 255 = generate."""
        mask = np.full((frames, height, width), 255, np.uint8)
        _, window, _ = self._windows(width, height)
        mask[(slice(None), *window)] = 0
        return mask

    def _windows(self, width: int, height: int) -> tuple[tuple[int, int], tuple[slice, slice], tuple[int, int]]:
        """(width, height) of the scaled input, the (rows, columns) that it covers, its (top, left), maybe negative.

        In whole pixels: the input is pasted without resampling.
        """
        inner = max(1, round(width * self.scale)), max(1, round(height * self.scale))
        left, top = round(self.x * width - inner[0] / 2), round(self.y * height - inner[1] / 2)
        rows, columns = _overlap(top, inner[1], height), _overlap(left, inner[0], width)
        return inner, (rows, columns), (top, left)


def _overlap(start: int, length: int, whole: int) -> slice:
    """The part of start..start + length within 0..whole; an empty slice if there is none."""
    first = min(max(0, start), whole)
    return slice(first, max(first, min(whole, start + length)))
