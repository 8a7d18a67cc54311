"""Layout as a control: rectangles or outlines on white that show where something is and how it moves.

VACE's layout annotator draws black lines on white: 2 pixels wide for a box, 3 for the outline of a region.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Box, ControlSettings, Pixels, colours, share, shrunk
from streamvace.conditioning.controls.motion_map import MotionMap

_BOX_LINE, _REGION_LINE = 2, 3

_SMALLEST_REGION = 0.004
"""Fraction of the picture's area below which a moving region is noise."""

_MOST_REGIONS = 8

_SEEN_AT = 160
"""Longer side in pixels at which motion is detected; layout outlines are coarse."""

_REMEMBERS_S = 0.4
"""Seconds for which motion is remembered; this bridges the turning point of a swing."""

_MOVES = 70
"""Threshold of a region, out of 255: recent motion of at least a quarter of full speed."""

_LONGEST_TRAIL = 256
"""Positions kept of a trail: four seconds at 60 per second, the longest trail is two."""


@dataclass
class _Track:
    """One moving box, and its path as (seconds, x, y) of its centre."""

    box: Box
    trail: deque[tuple[float, float, float]]


class Layout:
    """Draws the boxes of the settings, gliding to new positions; without any, outlines of moving regions."""

    backend = "OpenCV"

    def __init__(self) -> None:
        self._tracks: list[_Track] = []
        self._seconds = 0.0
        self._motion = MotionMap(_REMEMBERS_S)

    def update(self, frame: Pixels, seconds: float, settings: ControlSettings) -> Pixels:
        """See Control."""
        height, width = frame.shape[:2]
        canvas = np.full((height, width, 3), 255, np.uint8)
        if settings.layout_boxes:
            self._move(settings, seconds)
            for track in self._tracks:
                _draw(canvas, track, seconds - settings.layout_trail)
        else:
            self._tracks = []
            cv2.drawContours(canvas, self._regions(frame, seconds), -1, (0, 0, 0), _REGION_LINE)
        self._seconds = seconds
        return canvas

    def reset(self) -> None:
        """See Control."""
        self._tracks = []
        self._motion.reset()

    def _move(self, settings: ControlSettings, seconds: float) -> None:
        """Advance every box towards its goal; a new box appears at its goal."""
        part = share(seconds - self._seconds, settings.layout_glide)
        del self._tracks[len(settings.layout_boxes) :]
        for number, goal in enumerate(settings.layout_boxes):
            if number == len(self._tracks):
                self._tracks.append(_Track(goal, deque(maxlen=_LONGEST_TRAIL)))
            track = self._tracks[number]
            track.box = _between(track.box, goal, part)
            track.trail.append((seconds, track.box.x + track.box.width / 2, track.box.y + track.box.height / 2))

    def _regions(self, frame: Pixels, seconds: float) -> list[Pixels]:
        """Outlines of the largest moving regions, as OpenCV contours."""
        moving = self._motion.update(shrunk(colours(frame), _SEEN_AT), seconds)
        level = (cv2.resize(moving, (frame.shape[1], frame.shape[0])) * 255).astype(np.uint8)
        whole = cv2.threshold(level, _MOVES, 255, cv2.THRESH_BINARY)[1]
        found, _ = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        least = _SMALLEST_REGION * whole.size
        large = sorted((each for each in found if cv2.contourArea(each) >= least), key=cv2.contourArea, reverse=True)
        return [np.asarray(each) for each in large[:_MOST_REGIONS]]


def parse_box(text: str) -> Box | None:
    """Parse `x y width height` in fractions of the picture; commas are allowed. None for anything else.

    x and y may be -1..2, so that a box can leave the picture; width and height lie above 0 and up to 2.
    """
    try:
        x, y, width, height = (float(part) for part in text.replace(",", " ").split())
    except ValueError:
        return None
    good = all(-1 <= value <= 2 for value in (x, y)) and all(0 < value <= 2 for value in (width, height))
    return Box(x, y, width, height) if good else None


def _between(start: Box, end: Box, part: float) -> Box:
    def mix(a: float, b: float) -> float:
        return a + part * (b - a)

    return Box(mix(start.x, end.x), mix(start.y, end.y), mix(start.width, end.width), mix(start.height, end.height))


def _draw(canvas: Pixels, track: _Track, since: float) -> None:
    height, width = canvas.shape[:2]

    def at(x: float, y: float) -> tuple[int, int]:
        return round(x * width), round(y * height)

    box = track.box
    way = np.array([at(x, y) for moment, x, y in track.trail if moment >= since], np.int32)
    if len(way) > 1:
        cv2.polylines(canvas, [way], False, (0, 0, 0), _BOX_LINE, cv2.LINE_AA)
    cv2.rectangle(canvas, at(box.x, box.y), at(box.x + box.width, box.y + box.height), (0, 0, 0), _BOX_LINE)
