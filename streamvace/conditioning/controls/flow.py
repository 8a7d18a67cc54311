"""Optical flow as a control: where everything moves, as hues, and how fast, as saturation."""

from __future__ import annotations

from typing import Protocol

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


class MotionSearch(Protocol):
    """Finds how far everything moved between two pictures. Owned by one thread."""

    backend: str

    def begin(self, frame: Pixels, gray: Pixels) -> None:
        """Forget every picture before this one. frame: uint8 `[H, W, 3|4]`; gray: its brightness, uint8 `[h, w]`."""

    def motion(self, frame: Pixels, gray: Pixels) -> Floats:
        """Since the picture before, whose gray had the same size: float32 `[h', w', 2]` in pixels of gray, x to the
        right, y down, at any size of the same shape."""


class DisSearch:
    """Dense inverse search (Kroeger et al. 2016, through OpenCV)."""

    backend = "OpenCV DIS"

    def __init__(self) -> None:
        self._search = _search()
        self._last: Pixels | None = None
        self._motion: Floats | None = None

    def begin(self, frame: Pixels, gray: Pixels) -> None:
        """See MotionSearch."""
        # The search keeps the last motion it was started from, even when it is given none: it must be made anew.
        if self._motion is not None:
            self._search, self._motion = _search(), None
        self._last = gray

    def motion(self, frame: Pixels, gray: Pixels) -> Floats:
        """See MotionSearch."""
        # Started from the last motion it follows fast movement further, and a held frame does not disturb it.
        self._motion = np.asarray(self._search.calc(self._last, gray, self._motion), dtype=np.float32)
        self._last = gray
        return self._motion


def _search() -> cv2.DISOpticalFlow:
    return cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)


class Flow:
    """Dense flow between each frame and the one before.

    Coloured with the usual flow wheel: white stands still, hue is the direction, full colour is a fixed speed
    (`ControlSettings.flow_scale`, in picture widths a second). VACE's annotator scales every picture by its own fastest
    pixel, which makes a still picture's noise as loud as a dance; a fixed scale doesn't.
    """

    def __init__(self, search: MotionSearch | None = None) -> None:
        """search: what finds the motion; None: DIS."""
        self._search: MotionSearch = search or DisSearch()
        self.backend = self._search.backend
        self._last: Pixels | None = None
        self._seconds = 0.0

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
"""Motion is refined at this size at most; it has no finer detail."""

_RADIUS, _BORDER = 5, 60.0
"""The search finds motion in patches; a guided filter of this radius brings it back to the outlines of the picture,
which differ by more than this variance."""

_AROUND = 9
"""Pixels, at that size, in which something must have changed for motion to be believed."""

_NOISE, _CHANGE = 1.3, 2.0
"""Change that is nothing but noise, and change that certainly is motion, in multiples of what noise alone changes:
where nothing moves, the search finds motion in the noise all the same."""

_LAPLACE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
"""Blind to edges and slopes, so that what is left of a picture is its noise (Immerkaer 1996); its gain is 6."""

_QUIET_SHARE = 30
"""Percent of the picture that is surely without texture; there a normal variable stays below 0.385 deviations."""


_USUAL = 1.13
"""Mean difference of two frames with noise of deviation 1: the square root of 4 / pi."""


def noise_of(picture: Pixels) -> float:
    """The deviation of a picture's noise, uint8 `[H, W]`, from itself alone."""
    left = np.abs(cv2.filter2D(picture, cv2.CV_32F, _LAPLACE)[::2, ::2])
    return float(np.percentile(left, _QUIET_SHARE)) / (6 * 0.385)


def _refined(motion: Floats, last: Pixels, gray: Pixels) -> Floats:
    """Motion `[h, w, 2]` that ends at the picture's outlines and is nought where nothing changed."""
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
"""Pixels a side below which no flow is sought: there OpenCV's search (8x8 patches in a pyramid as deep as the width
allows) reads outside its pictures and takes the process down, at 640x30 and 128x16 for instance."""


def flow_colours(flow: Floats) -> Pixels:
    """Flow as colours: `[H, W, 2]`, 1 = full colour, what is faster is drawn as 1. Returns uint8 `[H, W, 3]`."""
    length, angle = cv2.cartToPolar(flow[..., 0], flow[..., 1])
    # The wheel starts at red for motion to the right and turns through yellow for motion downwards.
    column = np.rint(angle * np.float32(_WHEEL.shape[1] / (2 * np.pi))).astype(np.int32) % _WHEEL.shape[1]
    row = np.minimum(length * _RADII, _RADII).astype(np.int32)
    return np.asarray(_WHEEL.reshape(-1, 3)[row * _WHEEL.shape[1] + column], dtype=np.uint8)


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
    return np.asarray(np.rint(255 - strength * (255 - hues[None])), dtype=np.uint8)


_WHEEL = _wheel()
