"""MediaPipe's BlazePose (Bazarevsky et al. 2020): detect people once, then track each by their own landmarks.

Two networks: a detector searches the whole picture, and a landmark network finds 33 points in a rotated square around
one person. The detector rests while everybody is tracked, so the cost is one landmark pass per person.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Floats, Pixels
from streamvace.conditioning.controls.networks import LiteNetwork, Networks
from streamvace.conditioning.controls.squares import Square, alike, around, cut_out, distinct, into

FINDER_FILE, LANDMARK_FILE = "pose_detection.tflite", "pose_landmark_full.tflite"

LANDMARKS = 33
_VALUES = 5
"""Values of a landmark: x, y, z, visibility, presence."""

_CENTRE, _RIM = 33, 34
"""Two auxiliary landmarks that define the next frame's square: its centre, and a point on the circle around it."""

_ENLARGE = 1.25
"""The square's size relative to that circle (MediaPipe's graph)."""

_FOUND, _STILL_THERE = 0.5, 0.5
"""Confidence thresholds of detection and of tracking (MediaPipe's)."""

_LOOK_EVERY_S = 0.4
"""Interval between searches while fewer people than requested are tracked."""

_STRIDES = (8, 16, 32, 32, 32)
"""Strides of the detector's layers; each cell has two anchors per layer, all of size 1 (MediaPipe's graph options)."""


@dataclass(frozen=True)
class Body:
    """points: float32 `[33, 2]` in pixels. seen: float32 `[33]`, visibility of each point, 0..1."""

    points: Floats
    seen: Floats
    square: Square


class BlazePose:
    """The tracker. Raises UserError if one of its two files or LiteRT is missing."""

    def __init__(self, networks: Networks) -> None:
        self._find = LiteNetwork(networks.find(FINDER_FILE, "the pose control"))
        self._follow = LiteNetwork(networks.find(LANDMARK_FILE, "the pose control"))
        self._anchors = anchors(self._find.width)
        self._squares: list[Square] = []
        self._looked = -math.inf

    def update(self, picture: Pixels, seconds: float, people: int) -> list[Body]:
        """The people in a picture, at most `people`. picture: uint8 `[H, W, 3]`."""
        squares = self._squares[:people]
        if len(squares) < people and seconds - self._looked >= _LOOK_EVERY_S:
            self._looked = seconds
            squares = distinct([*squares, *self._search(picture)])[:people]
        followed = [(square, self._landmarks(picture, square)) for square in squares]
        bodies = [body for _, body in followed if body is not None]
        self._squares = distinct([_held(square, body.square) for square, body in followed if body is not None])
        return bodies

    def reset(self) -> None:
        """Stop tracking everybody."""
        self._squares = []
        self._looked = -math.inf

    def _search(self, picture: Pixels) -> list[Square]:
        """Squares of the people detected in the whole picture, most confident first."""
        side = self._find.width
        height, width = picture.shape[:2]
        scale = side / max(height, width)
        offset = (side - width * scale) / 2, (side - height * scale) / 2
        fit = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]])
        boxed = cv2.warpAffine(picture, fit, (side, side), flags=cv2.INTER_LINEAR)
        outputs = self._find(boxed.astype(np.float32) / np.float32(127.5) - 1)
        rows = next(each for each in outputs if each.shape[-1] > 1)[0]
        scores = next(each for each in outputs if each.shape[-1] == 1)[0, :, 0]
        sure = np.flatnonzero(_sigmoid(scores) >= _FOUND)
        squares = []
        for index in sure[np.argsort(-scores[sure])]:
            # Four values of a box, then points as offsets from the anchor, in pixels of the network's input.
            middle, rim = (rows[index, at : at + 2] + self._anchors[index] * side for at in (4, 6))
            points = [(point - offset) / scale for point in (middle, rim)]
            squares.append(around(points[0], points[1], _ENLARGE))
        return distinct(squares)

    def _landmarks(self, picture: Pixels, square: Square) -> Body | None:
        """The body inside a square, or None."""
        crop, to_picture = cut_out(picture, square, self._follow.width)
        outputs = self._follow(crop)
        table = next(each for each in outputs if each.size == (LANDMARKS + 6) * _VALUES).reshape(-1, _VALUES)
        there = next(each for each in outputs if each.size == 1)
        if float(there.ravel()[0]) < _STILL_THERE:
            return None
        points = into(to_picture, table[:, :2])
        seen = _sigmoid(table[:LANDMARKS, 3]) * _sigmoid(table[:LANDMARKS, 4])
        body = points[:LANDMARKS].astype(np.float32)
        return Body(body, seen.astype(np.float32), around(points[_CENTRE], points[_RIM], _ENLARGE))


def _held(square: Square, newer: Square) -> Square:
    """The old square unless the newer one differs clearly: a square that follows every landmark makes them jitter."""
    return square if alike(newer, square, middle=0.03, side=0.05, angle=0.05) else newer


def anchors(side: int) -> Floats:
    """Centres of the detector's anchors, float32 `[N, 2]` in 0..1: SSD's grid, layers of equal stride interleaved."""
    found = []
    for stride in sorted(set(_STRIDES)):
        cells = math.ceil(side / stride)
        line = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        grid = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
        found.append(np.repeat(grid, 2 * _STRIDES.count(stride), axis=0))
    return np.concatenate(found)


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -60, 60))), dtype=np.float32)
