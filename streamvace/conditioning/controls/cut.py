"""Notices when the input jumps to another scene, so that nothing of the old one leaks into the controls."""

from __future__ import annotations

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Floats, Pixels, colours

_GRID = (32, 18)
"""The picture is judged at this size: motion within a scene blurs away, a new scene does not."""

_DIFFERENT = 34.0
"""Mean difference of the small pictures, out of 255, above which it may be a cut. Fast motion and a pan at arm's
length stay below 25, cuts between unlike pictures lie above 40."""

_SURPRISE = 4.0
"""And it must be that many times what this scene has shown lately: strobes and shaking cameras are no cuts."""

_MEMORY = 0.2
"""Share of the newest difference in what a scene has shown lately: about five frames."""


class CutDetector:
    """`update` says whether this frame opens a new scene. A changed size does as well."""

    def __init__(self) -> None:
        self._last: Floats | None = None
        self._usual = 0.0
        self._shape: tuple[int, ...] = ()

    def update(self, frame: Pixels) -> bool:
        """frame: uint8 `[H, W, 3|4]`. The first frame opens a scene."""
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
