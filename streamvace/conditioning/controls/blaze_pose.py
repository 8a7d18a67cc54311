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
from streamvace.conditioning.networks import LiteNetwork, Networks

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

_SAME = 0.4
"""Two squares whose middles are nearer than this part of their side hold one person."""


@dataclass(frozen=True)
class Square:
    """A turned square in pixels: middle, side and angle in radians, 0 upright."""

    x: float
    y: float
    side: float
    angle: float


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
        bodies = [body for body in (self._landmarks(picture, square) for square in squares) if body is not None]
        self._squares = distinct([body.square for body in bodies])
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
            squares.append(around(points[0], points[1]))
        return distinct(squares)

    def _landmarks(self, picture: Pixels, square: Square) -> Body | None:
        """The body inside a square; None when there is none."""
        side = self._follow.width
        to_picture = square_transform(square, side)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(picture, to_picture, (side, side), flags=flags, borderMode=cv2.BORDER_CONSTANT)
        outputs = self._follow(crop.astype(np.float32) / 255)
        table = next(each for each in outputs if each.size == (LANDMARKS + 6) * _VALUES).reshape(-1, _VALUES)
        there = next(each for each in outputs if each.size == 1)
        if float(there.ravel()[0]) < _STILL_THERE:
            return None
        points = table[:, :2] @ to_picture[:, :2].T + to_picture[:, 2]
        seen = _sigmoid(table[:LANDMARKS, 3]) * _sigmoid(table[:LANDMARKS, 4])
        body = points[:LANDMARKS].astype(np.float32)
        return Body(body, seen.astype(np.float32), around(points[_CENTRE], points[_RIM]))


def around(middle: Floats, rim: Floats) -> Square:
    """The square whose middle is one point, with the other straight above it on the circle inside."""
    x, y = float(rim[0] - middle[0]), float(rim[1] - middle[1])
    return Square(float(middle[0]), float(middle[1]), 2 * math.hypot(x, y) * _ENLARGE, math.atan2(x, -y))


def distinct(squares: list[Square]) -> list[Square]:
    """Each person once, the first square of each."""
    kept: list[Square] = []
    for square in squares:
        near = (math.hypot(square.x - other.x, square.y - other.y) < _SAME * other.side for other in kept)
        if square.side >= 1 and not any(near):
            kept.append(square)
    return kept


def square_transform(square: Square, side: int) -> Floats:
    """`[2, 3]`: from pixels of the cut-out, `side` a side, to pixels of the picture."""
    scale = square.side / side
    c, s = math.cos(square.angle) * scale, math.sin(square.angle) * scale
    half = side / 2
    return np.array([[c, -s, square.x - half * (c - s)], [s, c, square.y - half * (s + c)]], np.float32)


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
