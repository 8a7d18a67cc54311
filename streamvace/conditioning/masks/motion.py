"""A mask of moving objects in front of a still background."""

from __future__ import annotations

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Pixels, colours, resized_like, round_brush, share, shrunk
from streamvace.conditioning.masks.base import MaskSettings

_LONGEST = 320
"""Longer side in pixels of the background model; this reduces cost and noise."""

_DISTANCE = (64.0, 9.0)
"""Squared distance from the background, in its own variances, from which a pixel is selected; at sensitivity 0 and
1."""

_LEARNS_S = 6.0
"""Seconds after which a still object becomes background."""

_FIRST_LEARNS_S = 0.4
"""The same time at the start of a scene, from where it grows with the scene's age: somebody who was there from the
start and walks away leaves no ghost for long."""

_BACKGROUND_SHARE = 0.105
"""Fraction of its time constant in which a new colour becomes background: -ln of OpenCV's ratio of 0.9."""

_OPEN, _CLOSE = 3, 9
"""Sizes in pixels, at the model's size, of specks that are removed and holes that are filled."""


class Motion:
    """Background subtraction with a mixture of Gaussians per pixel (Zivkovic 2004, through OpenCV).

    Camera and lights must be still; the `person` mask has no such limit.
    """

    backend = "OpenCV MOG2"

    def __init__(self) -> None:
        self._model = _model()
        self._born: float | None = None
        self._seconds = 0.0
        self._shape: tuple[int, ...] = ()

    def update(self, frame: Pixels, seconds: float, settings: MaskSettings) -> Pixels:
        """See Mask."""
        small = np.asarray(cv2.GaussianBlur(shrunk(colours(frame), _LONGEST), (3, 3), 0), dtype=np.uint8)
        if small.shape != self._shape:
            self.reset()
            self._shape = small.shape
        if self._born is None:
            self._born = self._seconds = seconds
            self._model.apply(small, None, 1.0)
            return np.zeros(frame.shape[:2], np.uint8)
        near, far = _DISTANCE
        self._model.setVarThreshold(near + (far - near) * settings.motion_sensitivity)
        learns_s = min(_LEARNS_S, _FIRST_LEARNS_S + seconds - self._born)
        moving = self._model.apply(small, None, share(seconds - self._seconds, learns_s / _BACKGROUND_SHARE))
        self._seconds = seconds
        moving = cv2.morphologyEx(moving, cv2.MORPH_OPEN, round_brush(_OPEN))
        moving = cv2.morphologyEx(moving, cv2.MORPH_CLOSE, round_brush(_CLOSE))
        return resized_like(np.asarray(moving, dtype=np.uint8), frame)

    def reset(self) -> None:
        """See Mask."""
        self._model = _model()
        self._born = None


def _model() -> cv2.BackgroundSubtractorMOG2:
    model = cv2.createBackgroundSubtractorMOG2(detectShadows=False)
    model.setNMixtures(3)
    return model
