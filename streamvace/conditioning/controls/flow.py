"""Optical flow as a control: where everything moves, as hues, and how fast, as saturation."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.conditioning.controls.base import ControlSettings, Floats, Pixels, guided, luma, shrunk

_LONGEST = 640
"""Flow is found in a picture of this size at most, which bounds the cost; motion is smooth, so nothing is lost."""

_ARCS = (15, 6, 4, 11, 13, 6)
"""Steps from red to yellow, green, cyan, blue, magenta and back: Baker et al. 2007, as RAFT's and VACE's pictures."""

_RADII = 128
"""Steps of saturation in the table: finer than eight bits can show."""

_STILL_S = 1.0
"""A frame later than this after the one before is compared with nothing: the input stood, or was lost."""


class Flow:
    """Dense inverse search flow (Kroeger et al. 2016, through OpenCV) between each frame and the one before.

    Coloured with the usual flow wheel: white stands still, hue is the direction, full colour is a fixed speed
    (`ControlSettings.flow_scale`, in picture widths a second). VACE's annotator scales every picture by its own fastest
    pixel, which makes a still picture's noise as loud as a dance; a fixed scale doesn't.
    """

    def __init__(self) -> None:
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._last: Pixels | None = None
        self._seconds = 0.0
        self._motion: Floats | None = None

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """See Control. The first frame after a reset is white: nothing moves yet."""
        speed = self.speeds(frame, seconds)
        picture = flow_colours(speed / settings.flow_scale)
        size = (frame.shape[1], frame.shape[0])
        if picture.shape[:2] == frame.shape[:2]:
            return picture
        return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)

    def speeds(self, frame: Pixels, seconds: float) -> Floats:
        """Float32 `[h, w, 2]` in picture widths a second, x to the right, y down; at the working size."""
        gray = shrunk(luma(frame), _LONGEST)
        last, passed = self._last, seconds - self._seconds
        self._last, self._seconds = gray, seconds
        height, width = gray.shape
        if last is None or last.shape != gray.shape or not 0 < passed <= _STILL_S or min(width, height) < _SMALLEST:
            self._motion = None
            return np.zeros((height, width, 2), np.float32)
        # Started from the last motion it follows fast movement further, and a held frame does not disturb it.
        self._motion = np.asarray(self._search.calc(last, gray, self._motion), dtype=np.float32)
        return _sharpened(self._motion, gray) / np.float32(passed * width)

    def reset(self) -> None:
        """See Control."""
        self._last = self._motion = None


_SHARPEN_AT, _SHARPEN_RADIUS, _SHARPEN_BORDER = 320, 5, 60.0
"""The search finds motion in patches; a guided filter at this size brings it back to the outlines of the picture."""


def _sharpened(motion: Floats, gray: Pixels) -> Floats:
    """Motion `[h, w, 2]` that ends where the picture has its outlines; smaller than it came where that is enough."""
    guide = shrunk(gray, _SHARPEN_AT).astype(np.float32)
    small = cv2.resize(motion, (guide.shape[1], guide.shape[0]), interpolation=cv2.INTER_AREA)
    planes = [guided(plane, guide, _SHARPEN_RADIUS, _SHARPEN_BORDER) for plane in cv2.split(small)]
    return np.asarray(cv2.merge(planes), dtype=np.float32)


_SMALLEST = 16
"""Pixels a side below which there is no flow to be found (the search works on 8x8 patches in a pyramid)."""


def flow_colours(flow: Floats) -> Pixels:
    """Flow as colours: `[H, W, 2]`, 1 = full colour, what is faster is drawn as 1. Returns uint8 `[H, W, 3]`."""
    length, angle = cv2.cartToPolar(flow[..., 0], flow[..., 1])
    # The wheel starts at red for motion to the right and turns through yellow for motion downwards.
    column = np.rint(angle * np.float32(_WHEEL.shape[1] / (2 * np.pi))).astype(np.int32) % _WHEEL.shape[1]
    row = np.minimum(length * _RADII, _RADII).astype(np.int32)
    return _WHEEL.reshape(-1, 3)[row * _WHEEL.shape[1] + column]


def _wheel(columns: int = 1024) -> NDArray[np.uint8]:
    """`[_RADII + 1, columns, 3]`: every saturation of every hue."""
    red, yellow, green, cyan, blue, magenta = np.array(
        [[255, 0, 0], [255, 255, 0], [0, 255, 0], [0, 255, 255], [0, 0, 255], [255, 0, 255]], np.float32
    )
    corners = [red, yellow, green, cyan, blue, magenta, red]
    at = np.cumsum([0, *_ARCS]) / sum(_ARCS)
    turns = np.arange(columns) / columns
    hues = np.stack([np.interp(turns, at, [corner[c] for corner in corners]) for c in range(3)], -1)
    strength = np.linspace(0, 1, _RADII + 1)[:, None, None]
    return np.rint(255 - strength * (255 - hues[None])).astype(np.uint8)


_WHEEL = _wheel()
