"""What every control shares: the protocol, the settings a performer turns, and small helpers on pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Box:
    """A rectangle in parts of the picture's width and height, 0..1: (x, y) is its top left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class ControlSettings:
    """What a performer turns while a control runs.

    edge_sensitivity: 0..1, how faint an edge still counts. edge_width: pixels of a drawn line, 1..32.
    flow_scale: the speed that has full colour, in picture widths a second. depth_smoothing: seconds over which the
    depth's range settles. layout_boxes: rectangles to draw; without any, the moving regions of the picture are drawn.
    layout_glide: seconds a box takes to where it was sent. layout_trail: seconds of its way that stay drawn.
    pose_people: how many people are looked for, 1..4. pose_details: what is drawn besides bodies: none, face, hands or
    all.
    """

    edge_sensitivity: float = 0.5
    edge_width: int = 3
    flow_scale: float = 0.5
    depth_smoothing: float = 1.0
    layout_boxes: tuple[Box, ...] = ()
    layout_glide: float = 0.25
    layout_trail: float = 0.0
    pose_people: int = 2
    pose_details: str = "face"


class Control(Protocol):
    """Turns a picture into a control picture, one frame after the other. Owned by one thread."""

    backend: str
    """What it runs on, in a few words."""

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """The control picture of this frame.

        frame: uint8 `[H, W, 3|4]`, sRGB; alpha is not looked at. seconds: when it was captured, on a clock that never
        goes back. Returns uint8 `[H, W, 3]`. A change of size starts afresh.
        """

    def reset(self) -> None:
        """Forget every earlier frame: the next one comes from another scene."""


def colours(frame: Pixels) -> Pixels:
    """uint8 `[H, W, 3]`, contiguous; the frame itself where it is that already."""
    whole = np.ascontiguousarray(frame)
    # OpenCV drops a channel five times as fast as numpy copies a slice.
    return whole if whole.shape[2] == 3 else np.asarray(cv2.cvtColor(whole, cv2.COLOR_RGBA2RGB), dtype=np.uint8)


def luma(frame: Pixels) -> Pixels:
    """uint8 `[H, W]`: .299 R + .587 G + .114 B (BT.601), as VACE's gray annotator takes it."""
    code = cv2.COLOR_RGB2GRAY if frame.shape[2] == 3 else cv2.COLOR_RGBA2GRAY
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(frame), code), dtype=np.uint8)


def three(plane: Pixels) -> Pixels:
    """uint8 `[H, W]` as `[H, W, 3]`."""
    return np.asarray(cv2.cvtColor(plane, cv2.COLOR_GRAY2RGB), dtype=np.uint8)


def share(passed_s: float, settle_s: float) -> float:
    """How much of the way to a new value a quantity goes in `passed_s`, so that it settles within about `settle_s`,
    however many frames a second there are. 1 when it is to settle at once."""
    return 1.0 if settle_s <= 0 else 1.0 - math.exp(-max(passed_s, 0.0) / settle_s)


class Steady:
    """A number that follows what is measured, slowly; the first measurement is taken as it is."""

    def __init__(self, settle_s: float) -> None:
        self.settle_s = settle_s
        self._value: float | None = None
        self._seconds = 0.0

    def follow(self, measured: float, seconds: float) -> float:
        """The number at this time."""
        if self._value is None:
            self._value = measured
        else:
            self._value += share(seconds - self._seconds, self.settle_s) * (measured - self._value)
        self._seconds = seconds
        return self._value

    def reset(self) -> None:
        """Take the next measurement as it is."""
        self._value = None


class Calm:
    """A picture whose sensor noise is averaged away where nothing moves; where something does, it is as it came."""

    def __init__(self) -> None:
        self._calm: Pixels | None = None

    def update(self, picture: Pixels) -> Pixels:
        """uint8 `[H, W, 3]`, best blurred a little; not to be written to afterwards."""
        calm = self._calm
        if calm is None or calm.shape != picture.shape:
            self._calm = picture.copy()
            return self._calm
        first, second, third = cv2.split(cv2.absdiff(picture, calm))
        moved = cv2.threshold(cv2.max(cv2.max(first, second), third), _MOVED, 255, cv2.THRESH_BINARY)[1]
        # In eight bits the mean stops two steps short of the picture: that deadband is welcome here.
        calm = cv2.addWeighted(calm, 1 - _NEWEST, picture, _NEWEST, 0)
        self._calm = np.asarray(cv2.copyTo(picture, cv2.dilate(moved, _NEAR), calm), dtype=np.uint8)
        return self._calm

    def reset(self) -> None:
        """Forget the last pictures."""
        self._calm = None


_MOVED = 12
"""A difference above this, of 255, is no noise: four times a webcam's after a 5x5 blur."""

_NEWEST = 0.25
"""Share of the newest picture: the noise falls to well under a half."""

_NEAR = np.ones((3, 3), np.uint8)


def working_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """(width, height) no longer than `longest`, of the same shape, at least 1x1."""
    factor = min(1.0, longest / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def shrunk(picture: Pixels, longest: int) -> Pixels:
    """The picture no longer than `longest`; itself when it is small enough."""
    size = working_size((picture.shape[1], picture.shape[0]), longest)
    if size == (picture.shape[1], picture.shape[0]):
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def guided(plane: Floats, guide: Floats, radius: int, smooth: float) -> Floats:
    """The guided filter (He et al. 2013): `plane` smoothed, but not across the borders of `guide`.

    plane, guide: float32 `[H, W]`; radius in pixels; smooth: variance of the guide below which there is no border.
    """

    def mean(values: Floats) -> Floats:
        side = 2 * radius + 1
        return np.asarray(cv2.boxFilter(values, -1, (side, side), borderType=cv2.BORDER_REFLECT), dtype=np.float32)

    mean_guide, mean_plane = mean(guide), mean(plane)
    slope = (mean(guide * plane) - mean_guide * mean_plane) / (mean(guide * guide) - mean_guide**2 + np.float32(smooth))
    return mean(slope) * guide + mean(mean_plane - slope * mean_guide)
