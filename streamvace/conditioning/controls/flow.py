"""Optical flow as a control: hue shows the direction of motion, saturation the speed."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.conditioning.controls.base import ControlSettings, Floats, Pixels, guided, luma, resized_like, shrunk

_LONGEST = 640
"""Longer side in pixels at which flow is computed. This bounds the cost; motion is smooth, so nothing is lost."""

_ARCS = (15, 6, 4, 11, 13, 6)
"""Steps from red to yellow, green, cyan, blue, magenta and back (Baker et al. 2007), as used by RAFT and VACE."""

_RADII = 128
"""Steps of saturation in the table: finer than 8 bits can show."""

_STILL_S = 1.0
"""Longest gap in seconds across which two frames are compared; after a longer one the input had stopped."""


class MotionSearch(Protocol):
    """Computes optical flow between consecutive pictures. Not thread-safe."""

    backend: str

    def begin(self, frame: Pixels, gray: Pixels) -> None:
        """Start a new sequence. frame: uint8 `[H, W, 3|4]`; gray: its brightness, uint8 `[h, w]`."""

    def motion(self, frame: Pixels, gray: Pixels) -> Floats:
        """Flow since the previous picture, whose gray had the same size: float32 `[h', w', 2]` in pixels of gray, x to
        the right, y down. The grid may be of any size with the same aspect ratio."""


class DisSearch:
    """Dense inverse search (Kroeger et al. 2016, through OpenCV)."""

    backend = "OpenCV DIS"

    def __init__(self) -> None:
        self._search = _search()
        self._last: Pixels | None = None
        self._motion: Floats | None = None

    def begin(self, frame: Pixels, gray: Pixels) -> None:
        """See MotionSearch."""
        # OpenCV's object keeps its last initial flow even if the next call passes none, so it must be rebuilt.
        if self._motion is not None:
            self._search, self._motion = _search(), None
        self._last = gray

    def motion(self, frame: Pixels, gray: Pixels) -> Floats:
        """See MotionSearch."""
        # The last flow as a start follows fast motion further, and a repeated frame does not disturb it.
        self._motion = np.asarray(self._search.calc(self._last, gray, self._motion), dtype=np.float32)
        self._last = gray
        return self._motion


def _search() -> cv2.DISOpticalFlow:
    return cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)


class Flow:
    """Dense flow between each frame and the previous one.

    Drawn with the usual colour wheel: white is still, hue is the direction, full saturation is a fixed speed
    (`ControlSettings.flow_scale`, in picture widths per second). VACE's annotator normalises each picture by its
    fastest pixel, which amplifies the noise of a still picture; a fixed scale avoids this.
    """

    def __init__(self, search: MotionSearch | None = None) -> None:
        """search: the flow method; None: DIS."""
        self._search: MotionSearch = search or DisSearch()
        self.backend = self._search.backend
        self._last: Pixels | None = None
        self._seconds = 0.0

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """See Control. The first frame after a reset is white."""
        picture = flow_colours(self.speeds(frame, seconds) / settings.flow_scale)
        return picture if picture.shape[:2] == frame.shape[:2] else resized_like(picture, frame)

    def speeds(self, frame: Pixels, seconds: float) -> Floats:
        """Velocity, float32 `[h, w, 2]` in picture widths per second, x to the right, y down, at the working size."""
        gray = shrunk(luma(frame), _LONGEST)
        last, passed = self._last, seconds - self._seconds
        self._last, self._seconds = gray, seconds
        height, width = gray.shape
        if min(width, height) < _SMALLEST:
            return np.zeros((height, width, 2), np.float32)
        if last is None or last.shape != gray.shape or not 0 < passed <= _STILL_S:
            self._search.begin(frame, gray)
            return np.zeros((height, width, 2), np.float32)
        return _refined(self._search.motion(frame, gray), last, gray) / np.float32(passed * width)

    def reset(self) -> None:
        """See Control."""
        self._last = None


_REFINED_AT = 320
"""Longer side in pixels at which flow is refined; it has no finer detail."""

_RADIUS, _BORDER = 5, 60.0
"""Radius and edge variance of the guided filter that aligns the patch-wise flow with the picture's outlines."""

_AROUND = 9
"""Radius in pixels, at that size, within which the picture must have changed for flow to be trusted."""

_NOISE, _CHANGE = 1.3, 2.0
"""Change that is only noise, and change that certainly is motion, in multiples of the change expected from noise. Flow
methods also find motion in the noise of a still picture."""

_LAPLACE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
"""A filter that suppresses edges and slopes and leaves the noise (Immerkaer 1996); its gain is 6."""

_QUIET_SHARE = 30
"""Percentage of the picture assumed to have no texture; 30 % of normal samples lie within 0.385 deviations."""

_USUAL = 1.13
"""Mean absolute difference of two frames with noise of deviation 1: the square root of 4 / pi."""


def noise_of(picture: Pixels) -> float:
    """Standard deviation of the noise of one picture, uint8 `[H, W]`."""
    left = np.abs(cv2.filter2D(picture, cv2.CV_32F, _LAPLACE)[::2, ::2])
    return float(np.percentile(left, _QUIET_SHARE)) / (6 * 0.385)


def _refined(motion: Floats, last: Pixels, gray: Pixels) -> Floats:
    """Flow `[h, w, 2]` aligned with the picture's outlines and zero where nothing changed."""
    guide = shrunk(gray, _REFINED_AT)
    size = (guide.shape[1], guide.shape[0])
    change = cv2.absdiff(guide, shrunk(last, _REFINED_AT)).astype(np.float32)
    side = 2 * _AROUND + 1
    change = cv2.boxFilter(change, -1, (side, side))
    noise = _USUAL * noise_of(guide)
    believed = np.clip((change - _NOISE * noise) / ((_CHANGE - _NOISE) * noise + 0.1), 0, 1)
    level = guide.astype(np.float32)
    small = cv2.resize(motion, size, interpolation=cv2.INTER_AREA)
    planes = [guided(plane, level, _RADIUS, _BORDER) * believed for plane in cv2.split(small)]
    return np.asarray(cv2.merge(planes), dtype=np.float32)


_SMALLEST = 32
"""Side in pixels below which no flow is computed. On smaller pictures, 640x30 and 128x16 for instance, OpenCV's DIS
(8x8 patches in a pyramid as deep as the width allows) reads out of bounds and crashes the process."""


def flow_colours(flow: Floats) -> Pixels:
    """Flow `[H, W, 2]` -> colours uint8 `[H, W, 3]`. Length 1 and above has full saturation."""
    length, angle = cv2.cartToPolar(flow[..., 0], flow[..., 1])
    # The wheel starts at red for motion to the right and turns through yellow for motion downwards.
    column = np.rint(angle * np.float32(_WHEEL.shape[1] / (2 * np.pi))).astype(np.int32) % _WHEEL.shape[1]
    row = np.minimum(length * _RADII, _RADII).astype(np.int32)
    return np.asarray(_WHEEL.reshape(-1, 3)[row * _WHEEL.shape[1] + column], dtype=np.uint8)


def _wheel(columns: int = 1024) -> NDArray[np.uint8]:
    """The colour wheel as a table `[_RADII + 1, columns, 3]`: saturation by hue."""
    red, yellow, green, cyan, blue, magenta = np.array(
        [[255, 0, 0], [255, 255, 0], [0, 255, 0], [0, 255, 255], [0, 0, 255], [255, 0, 255]], np.float32
    )
    corners = [red, yellow, green, cyan, blue, magenta, red]
    at = np.cumsum([0, *_ARCS]) / sum(_ARCS)
    turns = np.arange(columns) / columns
    hues = np.stack([np.interp(turns, at, [corner[c] for corner in corners]) for c in range(3)], -1)
    strength = np.linspace(0, 1, _RADII + 1)[:, None, None]
    return np.asarray(np.rint(255 - strength * (255 - hues[None])), dtype=np.uint8)


_WHEEL = _wheel()
