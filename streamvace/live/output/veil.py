"""What the performer lays over the output: a held picture, and black. Owned by the presenter's thread.

Both are deliberate and happen above everything else: the model, the queue and the counters go on underneath.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from streamvace.records.chunk import Pixels
from streamvace.records.frame import Frame

FADE_S = 0.5
"""From the picture to black and back."""


class Veil:
    """Holds a picture while the show is frozen, and fades to black and back."""

    def __init__(self) -> None:
        self._held: Frame | None = None
        self._black = 0.0
        self._last_ns = 0

    def held(self, frame: Frame, *, frozen: bool) -> Frame:
        """The frame to show: while `frozen` the picture of the first such call, under the number of this frame."""
        if not frozen:
            self._held = None
            return frame
        if self._held is None:
            self._held = frame
        return replace(self._held, sequence=frame.sequence)

    def darkened(self, frame: Frame, due_ns: int, *, black: bool) -> Frame:
        """The frame with its share of black; its alpha stays. Called at every tick. due_ns: when the tick was due."""
        elapsed_s, self._last_ns = (due_ns - self._last_ns) / 1e9, due_ns
        step = elapsed_s / FADE_S
        self._black = min(1.0, self._black + step) if black else max(0.0, self._black - step)
        return frame if self._black == 0 else replace(frame, pixels=_dimmed(frame.pixels, 1 - self._black))


def _dimmed(picture: Pixels, share: float) -> Pixels:
    """uint8 `[H, W, 4]` with its colours times `share`."""
    table = np.repeat(np.arange(256, dtype=np.float32)[:, None], 4, axis=1)
    table[:, :3] *= share
    dimmed: Pixels = cv2.LUT(picture, table.round().astype(np.uint8)[None])
    return dimmed
