"""MediaPipe's BlazePose (Bazarevsky et al. 2020): find people once, then follow each by his or her own landmarks.

Two networks: one looks for people in the whole picture, the other finds 33 landmarks in a turned square around one.
While somebody is followed the first rests, so the cost is one landmark pass a person.
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
"""Of a landmark: x, y, z, visibility, presence."""

_CENTRE, _RIM = 33, 34
"""Two more landmarks that say where the square of the next frame lies: its middle, and a point on its rim."""

_ENLARGE = 1.25
"""The square around a person is that much larger than the circle through the two points (MediaPipe's graph)."""

_FOUND, _STILL_THERE = 0.5, 0.5
"""Certainty above which somebody is found, and is still followed (MediaPipe's)."""

_LOOK_EVERY_S = 0.4
"""While fewer people than wanted are followed, the picture is searched that often."""

_STRIDES = (8, 16, 32, 32, 32)
"""Of the finder's layers; each cell has two anchors a layer, all of size 1 (MediaPipe's graph options)."""


@dataclass(frozen=True)
class Body:
    """points: float32 `[33, 2]` in pixels. seen: float32 `[33]`, 0..1, how surely each is visible."""

    points: Floats
    seen: Floats
    square: Square


class BlazePose:
    """Raises UserError without its two files or without LiteRT."""

    def __init__(self, networks: Networks) -> None:
        self._find = LiteNetwork(networks.find(FINDER_FILE, "the pose control"))
        self._follow = LiteNetwork(networks.find(LANDMARK_FILE, "the pose control"))
        self._anchors = anchors(self._find.width)
        self._squares: list[Square] = []
        self._looked = -math.inf

    def update(self, picture: Pixels, seconds: float, people: int) -> list[Body]:
        """Everybody in the picture, uint8 `[H, W, 3]`, at most `people`."""
        squares = self._squares[:people]
        if len(squares) < people and seconds - self._looked >= _LOOK_EVERY_S:
            self._looked = seconds
            squares = distinct([*squares, *self._search(picture)])[:people]
        followed = [(square, self._landmarks(picture, square)) for square in squares]
        bodies = [body for _, body in followed if body is not None]
        self._squares = distinct([_held(square, body.square) for square, body in followed if body is not None])
        return bodies

    def reset(self) -> None:
        """Follow nobody."""
        self._squares = []
        self._looked = -math.inf

    def _search(self, picture: Pixels) -> list[Square]:
        """Squares of everybody found in the whole picture, the surest first."""
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
            # Four numbers of a box, then points as offsets from the anchor, all in pixels of the network's input.
            middle, rim = (rows[index, at : at + 2] + self._anchors[index] * side for at in (4, 6))
            points = [(point - offset) / scale for point in (middle, rim)]
            squares.append(around(points[0], points[1], _ENLARGE))
        return distinct(squares)

    def _landmarks(self, picture: Pixels, square: Square) -> Body | None:
        """The body inside a square; None when there is none."""
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
    """The square as it was until it really has to move: one that follows every landmark makes them all tremble."""
    return square if alike(newer, square, middle=0.03, side=0.05, angle=0.05) else newer


def anchors(side: int) -> Floats:
    """Middles of the finder's anchors, float32 `[N, 2]` in 0..1: SSD's grid, layers of one stride side by side."""
    found = []
    for stride in sorted(set(_STRIDES)):
        cells = math.ceil(side / stride)
        line = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        grid = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
        found.append(np.repeat(grid, 2 * _STRIDES.count(stride), axis=0))
    return np.concatenate(found)


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -60, 60))), dtype=np.float32)
