"""The cells of a screen over a picture, and the maps that are made once for them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.effects.strokes import COARSE, FINE
from streamvace.effects.thresholds import threshold_map
from streamvace.effects.tiles import Map, tile_maps

Pixels = NDArray[np.uint8]

FINEST: Final = 3.0
"""Pixels of the smallest cell: less cannot hold a dot."""


@dataclass(frozen=True)
class Grid:
    """A size of the output and of the cells in it. Its maps are made once.

    height, width: of the output in pixels. cell: pixels of a cell.
    """

    name: str
    height: int
    width: int
    cell: float

    @cached_property
    def thresholds(self) -> Pixels:
        """See `threshold_map`."""
        return threshold_map(self.name, self.height, self.width, self.cell)

    @cached_property
    def tiles(self) -> tuple[Map, Pixels]:
        """See `tile_maps`."""
        return tile_maps(self.height, self.width, self.cell)

    @cached_property
    def glass(self) -> Pixels:
        """The light of a picture tube, uint8 `[H, W, 3]`: lines of the beam, and a red, a green and a blue column."""
        pitch = max(FINEST, self.cell / 2)
        turn = 2 * np.pi * np.arange(self.height) / pitch
        beam = (255 * (0.45 + 0.55 * (0.5 + 0.5 * np.cos(turn)) ** 0.6)).round().astype(np.uint8)
        columns = np.full((self.width, 3), 191, np.uint8)
        for channel in range(3):
            columns[channel::3, channel] = 255
        light = np.broadcast_to(columns, (self.height, self.width, 3))
        down = np.broadcast_to(beam[:, None, None], light.shape)
        return np.asarray(
            cv2.multiply(np.ascontiguousarray(light), np.ascontiguousarray(down), scale=1 / 255), np.uint8
        )

    @property
    def stroke(self) -> int:
        """Pixels of a cell in the hair of strokes: at most a third more than in the output."""
        return COARSE if self.cell >= 0.75 * COARSE else FINE

    @property
    def brush(self) -> tuple[int, int]:
        """(width, height) at which strokes are drawn, before they get the size of the output."""
        scale = self.stroke / self.cell
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))

    def small(self, picture: Pixels, per_cell: float) -> Pixels:
        """The picture `[H, W, 3]` at `per_cell` pixels a cell."""
        scale = min(1.0, per_cell / self.cell)
        size = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)

    def large(self, picture: Pixels, how: int = cv2.INTER_LINEAR) -> Pixels:
        """A small picture at the size of the output."""
        return np.asarray(cv2.resize(picture, (self.width, self.height), interpolation=how), np.uint8)
