"""What all controls share: the protocol, the live settings, and small helpers on pixels."""

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
    """A rectangle in fractions of the picture's width and height, 0..1; (x, y) is the top left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class ControlSettings:
    """Settings that can change while a control runs.

    edge_sensitivity: 0..1; higher values draw fainter edges. edge_width: line width in pixels, 1..32.
    flow_scale: the speed drawn in full colour, in picture widths per second. depth_smoothing: time constant of the
    depth range in seconds. layout_boxes: rectangles to draw; if empty, moving regions of the picture are outlined.
    layout_glide: seconds a box takes to reach a new position. layout_trail: seconds of its path that stay visible.
    pose_people: the largest number of people to track, 1..4. pose_details: what to draw besides bodies: none, face,
    hands or all.
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
    """Turns pictures into control pictures, frame by frame. Not thread-safe."""

    backend: str
    """The method or network in use, in a few words."""

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """The control picture of this frame.

        frame: uint8 `[H, W, 3|4]`, sRGB; alpha is ignored. seconds: capture time on a monotonic clock.
        Returns uint8 `[H, W, 3]`. A new frame size clears the history.
        """

    def reset(self) -> None:
        """Clear the history: the next frame belongs to a new scene."""


class Stateless:
    """The `reset` of controls and masks without history."""

    def reset(self) -> None:
        """Nothing to clear."""


def colours(frame: Pixels) -> Pixels:
    """The colour channels, uint8 `[H, W, 3]`, contiguous; no copy if the frame has that form already."""
    whole = np.ascontiguousarray(frame)
    # OpenCV drops a channel five times faster than numpy copies a slice.
    return whole if whole.shape[2] == 3 else np.asarray(cv2.cvtColor(whole, cv2.COLOR_RGBA2RGB), dtype=np.uint8)


def luma(frame: Pixels) -> Pixels:
    """uint8 `[H, W]`: .299 R + .587 G + .114 B (BT.601), as in VACE's gray annotator."""
    code = cv2.COLOR_RGB2GRAY if frame.shape[2] == 3 else cv2.COLOR_RGBA2GRAY
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(frame), code), dtype=np.uint8)


def three(plane: Pixels) -> Pixels:
    """uint8 `[H, W]` as `[H, W, 3]`."""
    return np.asarray(cv2.cvtColor(plane, cv2.COLOR_GRAY2RGB), dtype=np.uint8)


def share(passed_s: float, settle_s: float) -> float:
    """The fraction of the distance to a new value that is covered in `passed_s` by exponential smoothing with time
    constant `settle_s`. Independent of the frame rate; 1 if `settle_s` is 0."""
    return 1.0 if settle_s <= 0 else 1.0 - math.exp(-max(passed_s, 0.0) / settle_s)


class Steady:
    """An exponentially smoothed number; the first measurement is taken as it is."""

    def __init__(self, settle_s: float) -> None:
        self.settle_s = settle_s
        self._value: float | None = None
        self._seconds = 0.0

    def follow(self, measured: float, seconds: float) -> float:
        """The smoothed number after this measurement."""
        if self._value is None:
            self._value = measured
        else:
            self._value += share(seconds - self._seconds, self.settle_s) * (measured - self._value)
        self._seconds = seconds
        return self._value

    def reset(self) -> None:
        """Forget the past: the next measurement is taken as it is."""
        self._value = None


class Calm:
    """Temporal denoiser: averages pictures where nothing moves and passes them unchanged where something does."""

    def __init__(self) -> None:
        self._calm: Pixels | None = None

    def update(self, picture: Pixels) -> Pixels:
        """The denoised picture, not to be written to. picture: uint8 `[H, W, 3]`, best slightly blurred."""
        calm = self._calm
        if calm is None or calm.shape != picture.shape:
            self._calm = picture.copy()
            return self._calm
        first, second, third = cv2.split(cv2.absdiff(picture, calm))
        moved = cv2.threshold(cv2.max(cv2.max(first, second), third), _MOVED, 255, cv2.THRESH_BINARY)[1]
        # In 8 bits the mean stops two steps short of the picture; that dead band is welcome here.
        calm = cv2.addWeighted(calm, 1 - _NEWEST, picture, _NEWEST, 0)
        self._calm = np.asarray(cv2.copyTo(picture, cv2.dilate(moved, _NEAR), calm), dtype=np.uint8)
        return self._calm

    def reset(self) -> None:
        """Forget the last pictures."""
        self._calm = None


_MOVED = 12
"""Differences above this, out of 255, are motion: four times a webcam's noise after a 5x5 blur."""

_NEWEST = 0.25
"""Weight of the newest picture in the average; it reduces noise to well under a half."""

_NEAR = np.ones((3, 3), np.uint8)


def working_size(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """(width, height) scaled down so that the longer side is at most `longest`; at least 1x1."""
    factor = min(1.0, longest / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def shrunk(picture: Pixels, longest: int) -> Pixels:
    """The picture scaled down so that its longer side is at most `longest`; unchanged if it is small enough."""
    size = working_size((picture.shape[1], picture.shape[0]), longest)
    if size == (picture.shape[1], picture.shape[0]):
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def resized_like(picture: Pixels, frame: Pixels, interpolation: int = cv2.INTER_LINEAR) -> Pixels:
    """The picture scaled to the size of `frame`."""
    size = (frame.shape[1], frame.shape[0])
    return np.asarray(cv2.resize(picture, size, interpolation=interpolation), dtype=np.uint8)


def letterboxed(picture: Pixels, size: tuple[int, int], fill: int) -> tuple[Pixels, float, tuple[int, int]]:
    """The whole picture centred in `size` (width, height), with bars of brightness `fill`.

    Returns uint8 `[height, width, 3]`, and the scale and offset (x, y) of the picture in it.
    """
    height, width = picture.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    canvas = np.full((size[1], size[0], 3), fill, np.uint8)
    # Bilinear shrinking would skip pixels, and thin lines would flicker with the size.
    fitted = cv2.resize(picture, inner, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    canvas[top : top + inner[1], left : left + inner[0]] = fitted
    return canvas, scale, (left, top)


def border(plane: Floats, share: float) -> Floats:
    """Pixels `[N, C]` of the top, left and right border of `[H, W, C]`; share: its thickness as a fraction of H."""
    thick = max(1, round(share * plane.shape[0]))
    edges = (plane[:thick], plane[:, :thick], plane[:, -thick:])
    return np.concatenate([edge.reshape(-1, plane.shape[2]) for edge in edges])


def round_brush(width: int) -> Pixels:
    """A disc for dilation and erosion, uint8 `[width, width]`."""
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)), dtype=np.uint8)


def guided(plane: Floats, guide: Floats, radius: int, smooth: float) -> Floats:
    """The guided filter (He et al. 2013): smooths `plane`, but not across edges of `guide`.

    plane, guide: float32 `[H, W]`. radius: pixels. smooth: variance of the guide below which an area has no edge.
    """

    def mean(values: Floats) -> Floats:
        side = 2 * radius + 1
        return np.asarray(cv2.boxFilter(values, -1, (side, side), borderType=cv2.BORDER_REFLECT), dtype=np.float32)

    mean_guide, mean_plane = mean(guide), mean(plane)
    slope = (mean(guide * plane) - mean_guide * mean_plane) / (mean(guide * guide) - mean_guide**2 + np.float32(smooth))
    return mean(slope) * guide + mean(mean_plane - slope * mean_guide)
