"""Which parts of the picture move against the rest, now or a moment ago."""

from __future__ import annotations

import numpy as np

from streamvace.conditioning.controls.base import Floats, Pixels, share
from streamvace.conditioning.controls.flow import Flow

_FULL = 0.25
"""Picture widths a second against the background at which something certainly moves."""

_BORDER = 0.1
"""How thick the picture's border is, in parts of its height, whose motion is taken for the camera's."""


class MotionMap:
    """Motion against the border's: a moving camera moves the border, a performer moves inside it."""

    def __init__(self, remembers_s: float) -> None:
        """remembers_s: how long something that stopped is still known to have moved; it fades meanwhile."""
        self._remembers_s = remembers_s
        self._flow = Flow()
        self._moved: Floats | None = None
        self._seconds = 0.0

    def update(self, picture: Pixels, seconds: float) -> Floats:
        """uint8 `[H, W, 3]`, best small, to float32 `[H, W]`, 0..1."""
        speed = self._flow.speeds(picture, seconds)
        thick = max(1, round(_BORDER * speed.shape[0]))
        border = np.concatenate([speed[:thick].reshape(-1, 2), speed[:, :thick].reshape(-1, 2)])
        border = np.concatenate([border, speed[:, -thick:].reshape(-1, 2)])
        against = np.linalg.norm(speed - np.median(border, axis=0), axis=-1) / _FULL
        now = np.clip(against, 0, 1).astype(np.float32)
        if self._moved is not None and self._moved.shape == now.shape:
            now = np.maximum(now, self._moved * np.float32(1 - share(seconds - self._seconds, self._remembers_s)))
        self._moved, self._seconds = now, seconds
        return np.asarray(now, dtype=np.float32)

    def reset(self) -> None:
        """Nothing has moved yet."""
        self._flow.reset()
        self._moved = None
