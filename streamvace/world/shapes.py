"""The shapes of the world: signed distances, and one bevel formula that turns a distance into a lit, deep surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Distance = Callable[[Floats, Floats], Floats]

LIGHT = (-0.46, -0.60, 0.655)
"""Where the light comes from: left, above, in front (y grows downwards)."""


@dataclass(frozen=True)
class Shape:
    """A shape of radius about 1: its signed distance, how wide its bevel is, and whether the bevel is round."""

    distance: Distance
    bevel: float
    round: bool = True


@dataclass(frozen=True)
class Patch:
    """One drawn object in its bounding box. All maps float32 `[h, w]` in 0..1."""

    box: tuple[slice, slice]
    coverage: Floats
    diffuse: Floats
    rim: Floats
    bulge: Floats


def _ball(x: Floats, y: Floats) -> Floats:
    return np.hypot(x, y) - np.float32(1)


def _box(x: Floats, y: Floats) -> Floats:
    a, b = np.abs(x) - np.float32(0.82), np.abs(y) - np.float32(0.82)
    outside = np.hypot(np.maximum(a, 0), np.maximum(b, 0))
    return np.asarray(outside + np.minimum(np.maximum(a, b), 0), np.float32)


def _ring(x: Floats, y: Floats) -> Floats:
    return np.abs(np.hypot(x, y) - np.float32(0.72)) - np.float32(0.28)


def _capsule(x: Floats, y: Floats) -> Floats:
    return np.hypot(x - np.clip(x, np.float32(-0.62), np.float32(0.62)), y) - np.float32(0.38)


def _polygon(sides: int, inner: float) -> Distance:
    """A regular polygon whose flat faces lie `inner` away from the centre."""

    def distance(x: Floats, y: Floats) -> Floats:
        result = np.full_like(x, -9.0)
        for k in range(sides):
            angle = np.float32(2 * np.pi * (k + 0.5) / sides + np.pi / 2)
            result = np.maximum(result, x * np.cos(angle) + y * np.sin(angle) - np.float32(inner))
        return result

    return distance


def _star(x: Floats, y: Floats) -> Floats:
    """Five points: fold the plane into one half-sector, then one line."""
    sector = np.float32(2 * np.pi / 5)
    angle = np.arctan2(x, -y)
    angle = np.abs(angle - sector * np.round(angle / sector))
    radius = np.hypot(x, y)
    px, py = radius * np.sin(angle), radius * np.cos(angle)
    tip, notch = (0.0, 1.05), (0.46 * np.sin(np.pi / 5), 0.46 * np.cos(np.pi / 5))
    ex, ey = notch[0] - tip[0], notch[1] - tip[1]
    length = float(np.hypot(ex, ey))
    return ((px - tip[0]) * np.float32(-ey / length) + (py - tip[1]) * np.float32(ex / length)).astype(np.float32)


def _cross(x: Floats, y: Floats) -> Floats:
    a, b = np.abs(x), np.abs(y)
    a, b = np.maximum(a, b), np.minimum(a, b)
    outer_x, outer_y = a - 0.98, b - 0.34
    inside = np.maximum(outer_x, np.minimum(outer_y, np.float32(1e3)))
    notch = -np.hypot(np.maximum(np.float32(0.34) - a, 0), np.maximum(np.float32(0.34) - b, 0))
    outside = np.hypot(np.maximum(outer_x, 0), np.maximum(outer_y, 0))
    return np.where(inside > 0, outside, np.minimum(np.maximum(outer_x, outer_y), notch)).astype(np.float32)


def _heart(x: Floats, y: Floats) -> Floats:
    """Two lobes and a tip, as the union of two leaning capsules: soft, and its bevel looks inflated."""
    a = np.abs(x)
    ax, ay, bx, by = 0.42, -0.36, 0.0, 0.42
    ex, ey = bx - ax, by - ay
    h = np.clip(((a - ax) * ex + (y - ay) * ey) / np.float32(ex * ex + ey * ey), 0, 1)
    return (np.hypot(a - ax - ex * h, y - ay - ey * h) - (0.52 - 0.2 * h)).astype(np.float32)


SHAPES: dict[str, Shape] = {
    "ball": Shape(_ball, 1.0),
    "cube": Shape(_box, 0.45, round=False),
    "ring": Shape(_ring, 0.28),
    "pyramid": Shape(_polygon(3, 0.55), 0.55, round=False),
    "star": Shape(_star, 0.42, round=False),
    "capsule": Shape(_capsule, 0.38),
    "heart": Shape(_heart, 0.5),
    "cross": Shape(_cross, 0.34),
}


def draw(shape: Shape, centre: tuple[float, float], radius: float, angle: float, size: tuple[int, int]) -> Patch | None:
    """Draw one object.

    centre, radius: in picture heights, the origin top left. size: (width, height) in pixels. None = not visible.
    """
    width, height = size
    scale = radius * height
    reach = 1.12 * scale + 2
    cx, cy = centre[0] * height, centre[1] * height
    x0, x1 = max(0, int(cx - reach)), min(width, int(cx + reach) + 1)
    y0, y1 = max(0, int(cy - reach)), min(height, int(cy + reach) + 1)
    if x0 >= x1 or y0 >= y1 or scale < 0.5:
        return None
    # One pixel of margin on every side, for the gradient.
    xs = (np.arange(x0 - 1, x1 + 1, dtype=np.float32) + np.float32(0.5 - cx))[None, :] / np.float32(scale)
    ys = (np.arange(y0 - 1, y1 + 1, dtype=np.float32) + np.float32(0.5 - cy))[:, None] / np.float32(scale)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    wide = shape.distance(c * xs + s * ys, c * ys - s * xs)
    d = wide[1:-1, 1:-1]
    gx = (wide[1:-1, 2:] - wide[1:-1, :-2]) * np.float32(scale / 2)
    gy = (wide[2:, 1:-1] - wide[:-2, 1:-1]) * np.float32(scale / 2)

    inward = np.clip(-d / np.float32(shape.bevel), 0, 1)
    if shape.round:
        slope = 1 - inward
        bulge = np.sqrt(np.maximum(1 - slope * slope, 0))
    else:
        slope = np.float32(0.72) * np.clip((1 - inward) * 12, 0, 1)
        bulge = inward
    nz = np.sqrt(np.maximum(1 - slope * slope, 0))
    diffuse = np.clip((gx * LIGHT[0] + gy * LIGHT[1]) * slope + nz * LIGHT[2], 0, 1)
    return Patch(
        box=(slice(y0, y1), slice(x0, x1)),
        coverage=np.clip(np.float32(0.5) - d * np.float32(scale), 0, 1),
        diffuse=diffuse.astype(np.float32),
        rim=((1 - inward) ** 2).astype(np.float32),
        bulge=bulge.astype(np.float32),
    )
