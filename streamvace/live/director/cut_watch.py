"""Finds hard cuts in the pictures that steer the model, and tells them from flashes.

Not PySceneDetect: it calls a flash two cuts, and it has to see the frames at their full size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.records.frame import Frame

CUT = 0.55
"""Difference from which on two successive pictures can be a cut; 0 = equal, 1 = nothing in common. Measured at 24
pictures a second: cuts between films and between drawn scenes 0.97 and more, depth maps 0.68, edges 0.60; motion within
them at most 0.51 in a handheld film, 0.25 elsewhere."""

_OF_MOTION = 3.0
"""A cut also differs by this factor from the usual change: at few pictures a second, motion alone reaches CUT."""

_USUAL = 0.2
"""Share of the newest change in the usual one: it follows within about five pictures."""

BACK = 0.35
"""A picture this near to the one before the change has come back: the change was a flash."""

FLASH_NS = 125_000_000
"""A change that comes back within this time is a flash: three pictures of 24 a second."""

REFRACTORY_NS = 1_000_000_000
"""After a cut, changes are no cuts for this time: a history needs about two chunks to become one."""

_SIDE = 16
"""Side of the picture that is compared: fine texture moves without meaning a cut."""

_GRID = 96
"""About so many rows and columns of the picture are read: a tenth of a millisecond for any size."""

_EMPTY = 6.0
"""Contrast, 0..255, below which differences fade away: noise on black is no cut."""


@dataclass(frozen=True)
class _Change:
    """A change that can still turn out to be a flash. before: the picture it left. place: index of its first frame in
    the chunk at hand."""

    before: NDArray[np.float32]
    at_ns: int
    place: int


class CutWatch:
    """Sees the frames of every chunk, in order."""

    def __init__(self) -> None:
        self._seen: Frame | None = None
        self._picture: NDArray[np.float32] | None = None
        self._usual = 0.0
        self._change: _Change | None = None
        self.cut_ns = -REFRACTORY_NS
        """Capture time of the first frame after the newest cut."""

    @property
    def undecided(self) -> bool:
        """Whether the newest change can still turn out to be a flash."""
        return self._change is not None

    def look(self, frames: Sequence[Frame]) -> int | None:
        """Index of the first frame after a cut, in a chunk's frames, oldest first; None without one.

        A change near the end of a chunk is known to be a cut only in the next one, at index 0.
        """
        if self._change is not None and frames:
            self._change = _Change(self._change.before, self._change.at_ns, 0)
            if all(frame is self._seen for frame in frames):
                return self._cut()  # nothing came after it, so nothing came back
        found = None
        for place, frame in enumerate(frames):
            if frame is not self._seen and self._see(frame, place):
                found = self._cut()
        return found

    def _see(self, frame: Frame, place: int) -> bool:
        """Take in the next picture; whether it settles that the change before it was a cut."""
        picture, before = _reduced(frame), self._picture
        self._seen, self._picture = frame, picture
        change = self._change
        if before is None:
            return False
        if change is not None:
            if difference(change.before, picture) < BACK:
                self._change = None
            return self._change is not None and frame.captured_ns - change.at_ns >= FLASH_NS
        moved = difference(before, picture)
        if moved < max(CUT, _OF_MOTION * self._usual):
            self._usual += _USUAL * (moved - self._usual)
        elif frame.captured_ns - self.cut_ns >= REFRACTORY_NS:
            self._change = _Change(before, frame.captured_ns, place)
        return False

    def _cut(self) -> int:
        assert self._change is not None
        change, self._change = self._change, None
        self.cut_ns, self._usual = change.at_ns, 0.0
        return change.place


def difference(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """How much two reduced pictures differ beside their contrast: 0 equal, about 1 unrelated. Brightness is ignored."""
    one, other = one - one.mean(), other - other.mean()
    contrast = 0.5 * float(np.abs(one).mean() + np.abs(other).mean())
    return float(np.abs(one - other).mean()) / (contrast + _EMPTY)


def _reduced(frame: Frame) -> NDArray[np.float32]:
    """float32 `[16, 16, 3]`, 0..255."""
    pixels = frame.pixels
    rows, columns = (max(1, side // _GRID) for side in pixels.shape[:2])
    sparse = np.ascontiguousarray(pixels[::rows, ::columns, :3])
    return np.asarray(cv2.resize(sparse, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), np.float32)
