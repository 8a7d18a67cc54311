"""Pictures between two generated ones: the generator's rate is not the show's rate.

`blend` mixes the two. `flow` finds the motion by dense inverse search both ways, moves each picture along it towards
the other, and mixes what arrives: edges stay sharper.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

HOLD: Final = "hold"
FLOW: Final = "flow"

_SHRINK: Final = 2
"""The motion is searched in pictures of half the size: a quarter of the cost, and hardly a difference to see."""
_SMALLEST: Final = 32
"""Side below which OpenCV's search reads out of bounds; smaller pictures are blended."""
_FORGET: Final = 0.9
"""What is left of the dearest cost after a tick that was held because of it: sooner or later it is tried again."""


class Between:
    """Makes them in time, or holds. For one thread."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """clock: seconds, for what it costs."""
        self.held = 0
        """Pictures that were held because making them would have taken too long."""
        self._clock = clock
        self._cost_s = {"search": 0.0, "picture": 0.0}
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._pair: tuple[Pixels, Pixels] | None = None
        self._flows: tuple[Floats, Floats] | None = None
        self._grid: Floats = np.empty((0, 0, 2), np.float32)

    def __call__(self, earlier: Pixels, later: Pixels, share: float, how: str, budget_s: float) -> Pixels:
        """uint8 `[H, W, 4]`, `share` of the way (0..1) from one to the other; `earlier` itself at 0 and where it is
        held. how: `hold`, `blend` or `flow`. budget_s: the time there is."""
        if how == HOLD:
            return earlier
        flows = how == FLOW and min(earlier.shape[:2]) >= _SMALLEST * _SHRINK
        new = flows and (self._pair is None or self._pair[0] is not earlier or self._pair[1] is not later)
        # The tick of a new picture needs none in between, so it has time for the search.
        steps = ("search",) * new + ("picture",) * (share > 0)
        if sum(self._cost_s[step] for step in steps) > budget_s:
            self.held += 1
            for step in steps:
                self._cost_s[step] *= _FORGET
            return earlier
        if new:
            self._timed("search", lambda: self._look(earlier, later))
        if share <= 0:
            return earlier
        made = earlier

        def make() -> None:
            nonlocal made
            made = self._warped(share) if flows else _mixed(earlier, later, share)

        self._timed("picture", make)
        return made

    def _timed(self, step: str, work: Callable[[], None]) -> None:
        began = self._clock()
        work()
        took = self._clock() - began
        self._cost_s[step] = max(took, self._cost_s[step] * _FORGET)

    def _look(self, earlier: Pixels, later: Pixels) -> None:
        """Find the motion both ways."""
        before, after = _small(earlier), _small(later)
        size = earlier.shape[1], earlier.shape[0]
        self._pair, self._flows = (
            (earlier, later),
            (self._motion(before, after, size), self._motion(after, before, size)),
        )

    def _motion(self, before: Pixels, after: Pixels, size: tuple[int, int]) -> Floats:
        """Where each pixel goes, for pictures of `size` (width, height): float32 `[H, W, 2]`."""
        flow = _SHRINK * np.asarray(self._search.calc(before, after, None), np.float32)
        return np.asarray(cv2.resize(flow, size), np.float32)

    def _warped(self, share: float) -> Pixels:
        assert self._pair is not None
        assert self._flows is not None
        earlier, later = self._pair
        forth, back = self._flows
        return _mixed(self._moved(earlier, forth, share), self._moved(later, back, 1 - share), share)

    def _moved(self, picture: Pixels, flow: Floats, share: float) -> Pixels:
        """The picture, `share` of the way along its motion."""
        height, width = picture.shape[:2]
        if self._grid.shape[:2] != (height, width):
            self._grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
        places = cv2.scaleAdd(flow, -share, self._grid)
        moved = cv2.remap(picture, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8)


def _mixed(earlier: Pixels, later: Pixels, share: float) -> Pixels:
    return np.asarray(cv2.addWeighted(earlier, 1 - share, later, share, 0), np.uint8)


def _small(picture: Pixels) -> Pixels:
    height, width = picture.shape[:2]
    grey = cv2.cvtColor(picture, cv2.COLOR_RGBA2GRAY)
    size = (width // _SHRINK, height // _SHRINK)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
