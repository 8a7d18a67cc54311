"""Turned squares in a picture: what a landmark network is shown, and the way back from what it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Floats, Pixels

_SAME = 0.4
"""Two squares whose middles are nearer than this part of their side hold one person."""


@dataclass(frozen=True)
class Square:
    """In pixels: middle, side and angle in radians, 0 upright, a quarter turn with its top to the right."""

    x: float
    y: float
    side: float
    angle: float


def upwards(way: Floats) -> float:
    """The angle of a square whose top lies that way, `[2]`, from its middle."""
    return math.atan2(float(way[0]), -float(way[1]))


def around(middle: Floats, rim: Floats, enlarge: float = 1.0) -> Square:
    """The square whose middle is one point, with the other straight above it on the circle inside, then enlarged."""
    way = rim - middle
    side = 2 * math.hypot(float(way[0]), float(way[1])) * enlarge
    return Square(float(middle[0]), float(middle[1]), side, upwards(way))


def enclosing(points: Floats, angle: float, enlarge: float, raised: float = 0.0) -> Square:
    """The square turned by `angle` around points `[N, 2]`, enlarged, and moved up by that part of their height."""
    c, s = math.cos(angle), math.sin(angle)
    axes = np.array([[c, -s], [s, c]], np.float32)
    own = points @ axes
    low, high = own.min(0), own.max(0)
    middle = axes @ ((low + high) / 2)
    width, height = high - low
    return moved_up(
        Square(float(middle[0]), float(middle[1]), float(max(width, height)) * enlarge, angle), raised * height
    )


def moved_up(square: Square, pixels: float) -> Square:
    """The square nearer to where its top is."""
    x, y = math.sin(square.angle) * pixels, -math.cos(square.angle) * pixels
    return Square(square.x + float(x), square.y + float(y), square.side, square.angle)


def alike(square: Square, other: Square, *, middle: float, side: float, angle: float) -> bool:
    """Whether a square lies about where the other does. middle, side: how far off, in parts of the other's side."""
    turned = abs(math.remainder(square.angle - other.angle, math.tau))
    apart = math.hypot(square.x - other.x, square.y - other.y)
    return apart <= middle * other.side and abs(square.side - other.side) <= side * other.side and turned <= angle


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


def cut_out(picture: Pixels, square: Square, side: int) -> tuple[Floats, Floats]:
    """What is in the square, float32 `[side, side, 3]` in 0..1, black outside the picture, and its transform."""
    to_picture = square_transform(square, side)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(picture, to_picture, (side, side), flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(crop.astype(np.float32) / 255, dtype=np.float32), to_picture


def into(transform: Floats, points: Floats) -> Floats:
    """Points `[N, 2]` of a cut-out, in the picture."""
    return np.asarray(points @ transform[:, :2].T + transform[:, 2], dtype=np.float32)
