"""A map of the parts of the picture that move against the background, now or recently."""

from __future__ import annotations

import numpy as np

from streamvace.conditioning.controls.base import Floats, Pixels, border, share
from streamvace.conditioning.controls.flow import Flow

_FULL = 0.25
"""Speed relative to the background, in picture widths per second, that counts as full motion."""

_BORDER = 0.1
"""Thickness of the border whose motion is taken for the camera's, as a fraction of the picture's height."""


class MotionMap:
    """Motion relative to the picture's border: a moving camera moves the border, a performer moves inside it."""

    def __init__(self, remembers_s: float) -> None:
        """remembers_s: time constant in seconds with which past motion fades."""
        self._remembers_s = remembers_s
        self._flow = Flow()
        self._moved: Floats | None = None
        self._seconds = 0.0

    def update(self, picture: Pixels, seconds: float) -> Floats:
        """uint8 `[H, W, 3]`, best small -> motion float32 `[H, W]`, 0..1."""
        speed = self._flow.speeds(picture, seconds)
        against = np.linalg.norm(speed - np.median(border(speed, _BORDER), axis=0), axis=-1) / _FULL
        now = np.clip(against, 0, 1).astype(np.float32)
        if self._moved is not None and self._moved.shape == now.shape:
            now = np.maximum(now, self._moved * np.float32(1 - share(seconds - self._seconds, self._remembers_s)))
        self._moved, self._seconds = now, seconds
        return np.asarray(now, dtype=np.float32)

    def reset(self) -> None:
        """Clear the history."""
        self._flow.reset()
        self._moved = None
