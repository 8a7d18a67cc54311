"""Scene cut detection, so that nothing of the old scene leaks into the controls."""

from __future__ import annotations

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Floats, Pixels, colours

_GRID = (32, 18)
"""Pictures are compared at this size: motion within a scene averages out, a new scene does not."""

_DIFFERENT = 34.0
"""Mean difference of the small pictures, out of 255, above which a cut is possible. Fast motion and a pan at arm's
length stay below 25; cuts between unlike pictures lie above 40."""

_SURPRISE = 4.0
"""A cut must also exceed the scene's recent mean difference by this factor: strobes and shaking cameras are no cuts."""

_MEMORY = 0.2
"""Weight of the newest difference in that mean: about five frames."""


class CutDetector:
    """Detects the first frame of a new scene. A new frame size also counts as one."""

    def __init__(self) -> None:
        self._last: Floats | None = None
        self._usual = 0.0
        self._shape: tuple[int, ...] = ()

    def update(self, frame: Pixels) -> bool:
        """Whether this frame opens a scene; the first one does. frame: uint8 `[H, W, 3|4]`."""
        small = cv2.resize(colours(frame), _GRID, interpolation=cv2.INTER_AREA).astype(np.float32)
        last, self._last = self._last, small
        resized, self._shape = frame.shape[:2] != self._shape[:2], frame.shape
        if last is None or resized:
            self._usual = 0.0
            return True
        difference = float(np.abs(small - last).mean())
        cut = difference > _DIFFERENT and difference > _SURPRISE * self._usual
        self._usual += _MEMORY * (difference - self._usual)
        return cut

    def reset(self) -> None:
        """The next frame opens a scene."""
        self._last = None
