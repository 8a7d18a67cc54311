"""Rotated squares in a picture: the input of a landmark network, and the transform back to the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Floats, Pixels

_SAME = 0.4
"""Squares whose centres are closer than this fraction of their side belong to one person."""


@dataclass(frozen=True)
class Square:
    """Centre and side in pixels, and a clockwise angle in radians: 0 is upright."""

    x: float
    y: float
    side: float
    angle: float


def upwards(way: Floats) -> float:
    """The angle of a square whose top lies in direction `way`, `[2]`."""
    return math.atan2(float(way[0]), -float(way[1]))


def around(middle: Floats, rim: Floats, enlarge: float = 1.0) -> Square:
    """The square with this centre whose inscribed circle has `rim` at its top, enlarged by a factor."""
    way = rim - middle
    side = 2 * math.hypot(float(way[0]), float(way[1])) * enlarge
    return Square(float(middle[0]), float(middle[1]), side, upwards(way))


def enclosing(points: Floats, angle: float, enlarge: float, raised: float = 0.0) -> Square:
    """The square rotated by `angle` around points `[N, 2]`, enlarged, and moved up by `raised` times their height."""
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
    """The square moved towards its top."""
    x, y = math.sin(square.angle) * pixels, -math.cos(square.angle) * pixels
    return Square(square.x + float(x), square.y + float(y), square.side, square.angle)


def alike(square: Square, other: Square, *, middle: float, side: float, angle: float) -> bool:
    """Whether two squares nearly coincide. middle, side: tolerances in fractions of `other.side`; angle: radians."""
    turned = abs(math.remainder(square.angle - other.angle, math.tau))
    apart = math.hypot(square.x - other.x, square.y - other.y)
    return apart <= middle * other.side and abs(square.side - other.side) <= side * other.side and turned <= angle


def distinct(squares: list[Square]) -> list[Square]:
    """The squares with duplicates of one person removed; the first is kept."""
    kept: list[Square] = []
    for square in squares:
        near = (math.hypot(square.x - other.x, square.y - other.y) < _SAME * other.side for other in kept)
        if square.side >= 1 and not any(near):
            kept.append(square)
    return kept


def square_transform(square: Square, side: int) -> Floats:
    """Affine transform `[2, 3]` from pixels of a crop of `side` x `side` to pixels of the picture."""
    scale = square.side / side
    c, s = math.cos(square.angle) * scale, math.sin(square.angle) * scale
    half = side / 2
    return np.array([[c, -s, square.x - half * (c - s)], [s, c, square.y - half * (s + c)]], np.float32)


def cut_out(picture: Pixels, square: Square, side: int) -> tuple[Floats, Floats]:
    """The crop, float32 `[side, side, 3]` in 0..1, black outside the picture, and its transform to the picture."""
    to_picture = square_transform(square, side)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(picture, to_picture, (side, side), flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(crop.astype(np.float32) / 255, dtype=np.float32), to_picture


def into(transform: Floats, points: Floats) -> Floats:
    """Points `[N, 2]` of a crop in coordinates of the picture."""
    return np.asarray(points @ transform[:, :2].T + transform[:, 2], dtype=np.float32)
