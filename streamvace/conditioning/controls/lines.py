"""Controls of white lines on black: edges and a stylised scribble."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.conditioning.controls.base import (
    Calm,
    ControlSettings,
    Floats,
    Pixels,
    Steady,
    colours,
    resized_like,
    round_brush,
    share,
    shrunk,
    three,
)

Gradient = NDArray[np.int16]

_SETTLE_S = 0.7
"""Time constant of the thresholds: a lamp that is switched on does not make the whole drawing blink."""

_BELOW = (0.985, 0.93)
"""Quantile of the gradients that sets the upper threshold, at sensitivity 0 and 1."""

_NOISE_FLOOR = (170.0, 45.0)
"""Lower bound of the upper threshold (3x3 Sobel), at sensitivity 0 and 1: an empty wall has no edges, whatever the
quantile."""

_OF_STRONGEST = 0.6
"""Upper bound of the upper threshold, as a fraction of the strongest gradient: a picture of nothing but edges, such as
a logo or another control picture, keeps them."""

_LOW = 0.4
"""Canny's lower threshold as a fraction of the upper one (Canny 1986 recommends a third to a half)."""

_RETAIN = 0.55
"""Factor on both thresholds where an edge was recently: hysteresis in time against flicker."""

_LATELY_S = 0.12
"""Time constant of that memory: three frames. A longer one leaves lines behind moving objects."""

_OFTEN = 0.3
"""Share of recent frames in which an edge must have been strong. Only strong edges count, so that lines do not spread
along noise by sustaining each other."""

_SAMPLE_STEP = 4
"""Quantiles use every fourth pixel in both directions: practically the same value at a sixteenth of the cost."""

_NEAR = np.ones((3, 3), np.uint8)


def automatic_width(height: int, parts: int) -> int:
    """Line width in pixels for a picture of this height: height / parts, at least 1."""
    return max(1, round(height / parts))


class LineFinder:
    """Canny edges with slowly adapting thresholds and hysteresis in time as well as in space.

    The strongest gradient of the three colours counts, so red on green of the same brightness has an edge.
    """

    def __init__(self) -> None:
        self._upper = Steady(_SETTLE_S)
        self._calm = Calm()
        self._lately: Floats | None = None
        self._seconds = 0.0

    def find(self, picture: Pixels, seconds: float, sensitivity: float) -> Pixels:
        """uint8 `[H, W, 3]` -> lines one pixel wide, uint8 `[H, W]`, 0 or 255."""
        dx, dy = _gradient(self._calm.update(np.asarray(cv2.GaussianBlur(picture, (5, 5), 1.2), dtype=np.uint8)))
        upper = self._upper.follow(_upper_threshold(dx, dy, sensitivity), seconds)
        strong = cv2.Canny(dx, dy, _LOW * upper, upper)
        around = cv2.dilate(strong, _NEAR)
        lately, passed = self._lately, seconds - self._seconds
        self._seconds = seconds
        if lately is None or lately.shape != strong.shape:
            self._lately = around.astype(np.float32)
            return np.asarray(strong, dtype=np.uint8)
        faint = cv2.Canny(dx, dy, _RETAIN * _LOW * upper, _RETAIN * upper)
        faint[lately < _OFTEN * 255] = 0
        cv2.accumulateWeighted(around, lately, share(passed, _LATELY_S))
        return np.asarray(strong | faint, dtype=np.uint8)

    def reset(self) -> None:
        """Clear the history."""
        self._upper.reset()
        self._calm.reset()
        self._lately = None


class Edges:
    """Outlines and inner edges, `edge_width` pixels wide."""

    backend = "OpenCV Canny"

    def __init__(self) -> None:
        self._finder = LineFinder()

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """See Control."""
        lines = self._finder.find(colours(frame), seconds, settings.edge_sensitivity)
        return three(_drawn(lines, settings.edge_width))

    def reset(self) -> None:
        """See Control."""
        self._finder.reset()


_SKETCH_LONGEST = 384
"""Longer side in pixels at which a sketch is made; finer detail is left out."""

_SHORTEST_STROKE = 14
"""Pixels, at that size. Shorter strokes are texture and are left out."""


class Scribble:
    """A stylised sketch: a few bold contours without texture, white on black.

    Replaces VACE's contour network (see contour.py) if its weights are missing.
    """

    backend = "stylised OpenCV edges"

    def __init__(self) -> None:
        self._finder = LineFinder()

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """See Control."""
        flat = cv2.medianBlur(shrunk(colours(frame), _SKETCH_LONGEST), 5)
        strokes = _without_short(self._finder.find(flat, seconds, settings.edge_sensitivity))
        scale = frame.shape[1] / strokes.shape[1]
        # Blurring, enlarging and a steep tone curve give round pencil strokes instead of steps.
        soft = cv2.GaussianBlur(cv2.dilate(strokes, _NEAR), (5, 5), 1.1)
        large = resized_like(np.asarray(soft, dtype=np.uint8), frame)
        wider = round(settings.edge_width - 2 * scale)
        return three(np.asarray(cv2.LUT(_widened(large, wider), _INK), dtype=np.uint8))

    def reset(self) -> None:
        """See Control."""
        self._finder.reset()


_INK = np.clip((np.arange(256) - 100) * (255 / 90), 0, 255).astype(np.uint8)
"""Tone curve that turns a blurred stroke into one with a solid core and a soft border."""


def _gradient(picture: Pixels) -> tuple[Gradient, Gradient]:
    """Sobel derivatives, int16 `[H, W]`, of the colour channel that changes most at each pixel."""
    planes = cv2.split(picture)
    x, y = cv2.spatialGradient(planes[0])
    strength = np.abs(x) + np.abs(y)
    for plane in planes[1:]:
        dx, dy = cv2.spatialGradient(plane)
        other = np.abs(dx) + np.abs(dy)
        stronger = (other > strength).view(np.uint8)
        cv2.copyTo(dx, stronger, x)
        cv2.copyTo(dy, stronger, y)
        cv2.max(strength, other, strength)
    return x, y


def _upper_threshold(dx: Gradient, dy: Gradient, sensitivity: float) -> float:
    """The gradient above which a pixel certainly is an edge: a quantile of this picture within bounds."""
    sample = np.abs(dx[::_SAMPLE_STEP, ::_SAMPLE_STEP]) + np.abs(dy[::_SAMPLE_STEP, ::_SAMPLE_STEP])
    below = float(np.percentile(sample, 100 * _between(_BELOW, sensitivity)))
    return max(min(below, _OF_STRONGEST * float(sample.max())), _between(_NOISE_FLOOR, sensitivity))


def _between(ends: tuple[float, float], position: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * position


def _drawn(lines: Pixels, width: int) -> Pixels:
    """Lines of one pixel widened to `width` with soft borders, which a codec preserves and which do not crawl."""
    return np.asarray(cv2.GaussianBlur(_widened(lines, width), (3, 3), 0.6), dtype=np.uint8)


def _widened(lines: Pixels, width: int) -> Pixels:
    return np.asarray(cv2.dilate(lines, round_brush(width)), dtype=np.uint8) if width > 1 else lines


def _without_short(lines: Pixels) -> Pixels:
    """The lines without connected components shorter than a stroke."""
    count, labels, facts, _ = cv2.connectedComponentsWithStats(lines, connectivity=8)
    keep = np.zeros(count, np.uint8)
    keep[1:] = np.where(facts[1:, cv2.CC_STAT_AREA] >= _SHORTEST_STROKE, 255, 0)
    return np.asarray(keep[labels], dtype=np.uint8)
