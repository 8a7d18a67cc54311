"""What moves in front of a still background."""

from __future__ import annotations

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Pixels, colours, share, shrunk
from streamvace.conditioning.masks.base import MaskSettings

_LONGEST = 320
"""The background is modelled at this size: a quarter of the cost, and noise averages away."""

_DISTANCE = (64.0, 9.0)
"""Squared distance, in the background's own variances, of what is not background; at sensitivity 0 and 1."""

_LEARNS_S = 6.0
"""What stands still this long becomes background."""

_FIRST_LEARNS_S = 0.4
"""At the start of a scene it is this much, and more with every second: whoever stood there at first and walks away
leaves no ghost for long."""

_BACKGROUND_SHARE = 0.105
"""Of its time constant a new colour needs to become background: the logarithm of OpenCV's ratio of 0.9."""

_OPEN, _CLOSE = 3, 9
"""Pixels, at the model's size: specks that go, holes that are filled."""


class Motion:
    """Background subtraction with a mixture of Gaussians a pixel (Zivkovic 2004, through OpenCV).

    Camera and lights must stand still; the `person` mask does without that.
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
        moving = cv2.morphologyEx(moving, cv2.MORPH_OPEN, _brush(_OPEN))
        moving = cv2.morphologyEx(moving, cv2.MORPH_CLOSE, _brush(_CLOSE))
        large = cv2.resize(moving, (frame.shape[1], frame.shape[0]), interpolation=cv2.INTER_LINEAR)
        return np.asarray(large, dtype=np.uint8)

    def reset(self) -> None:
        """See Mask."""
        self._model = _model()
        self._born = None


def _model() -> cv2.BackgroundSubtractorMOG2:
    model = cv2.createBackgroundSubtractorMOG2(detectShadows=False)
    model.setNMixtures(3)
    return model


def _brush(width: int) -> Pixels:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)), dtype=np.uint8)
