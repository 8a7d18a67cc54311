"""What lies behind the objects: eight moving patterns, two of them with a depth of their own."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BACKGROUNDS = ("plain", "gradient", "plasma", "stripes", "floor", "tunnel", "stars", "waves")


@dataclass(frozen=True)
class Background:
    """A pattern between two colours. angle in radians, frequency about 1, speed about 1, seed for the stars."""

    kind: str
    angle: float = 0.0
    frequency: float = 1.0
    speed: float = 1.0
    seed: int = 0


def grid(size: tuple[int, int]) -> tuple[Floats, Floats]:
    """Pixel centres in picture heights, the origin in the middle: x `[1, W]`, y `[H, 1]`."""
    width, height = size
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / height
    y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2) / height
    return x[None, :].astype(np.float32), y[:, None].astype(np.float32)


def _stars(background: Background, seconds: float, size: tuple[int, int]) -> Floats:
    """Points that stream out of the middle, brighter as they come near."""
    width, height = size
    rng = np.random.default_rng(background.seed)
    count = 70
    directions, phases = rng.uniform(0, 2 * np.pi, count), rng.uniform(0, 1, count)
    travel = (phases + seconds * 0.12 * background.speed) % 1.0
    radius = 0.04 + 0.95 * travel**1.6
    canvas = np.zeros((height, width), np.uint8)
    for direction, r, t in zip(directions, radius, travel, strict=True):
        x = (width / 2 + np.cos(direction) * r * height) * 16
        y = (height / 2 + np.sin(direction) * r * height) * 16
        dot = max(10, int((0.004 + 0.012 * t) * height * 16))
        cv2.circle(canvas, (int(x), int(y)), dot, int(90 + 165 * t), -1, cv2.LINE_AA, 4)
    return canvas.astype(np.float32) / np.float32(255)


def render_background(background: Background, seconds: float, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """The mix between the two background colours and the inverse depth, both float32 `[H, W]` in 0..1."""
    width, height = size
    x, y = grid(size)
    t = seconds * background.speed
    c, s = np.float32(np.cos(background.angle)), np.float32(np.sin(background.angle))
    f = background.frequency
    depth = np.zeros((height, width), np.float32)
    if background.kind == "plain":
        mix = np.zeros((height, width), np.float32)
    elif background.kind == "gradient":
        a = np.float32(background.angle + 0.3 * t)
        mix = 0.5 + 0.75 * (x * np.cos(a) + y * np.sin(a))
    elif background.kind == "plasma":
        u, v = c * x + s * y, c * y - s * x
        bend = np.sin(np.float32(4.1 * f) * v + np.float32(0.9 * t))
        mix = (
            0.5
            + 0.32 * np.sin(np.float32(4.6 * f) * u + bend + np.float32(0.7 * t))
            + 0.3 * np.sin(np.float32(3.3 * f) * (u + v) - np.float32(0.5 * t))
        )
    elif background.kind == "stripes":
        wave = np.sin(np.float32(2 * np.pi * 2.1 * f) * (c * x + s * y) + np.float32(1.8 * t))
        mix = 0.5 + wave * np.float32(height / (2 * np.pi * 2.1 * f) / 2)
    elif background.kind == "floor":
        below = np.maximum(y + np.float32(0.06), np.float32(1e-3))
        z = np.float32(0.22) / below
        tile = np.sin(np.float32(5.5 * f) * x * z * 2) * np.sin(np.float32(5.5 * f) * z + np.float32(2.2 * t))
        crisp = 0.5 + tile * np.clip(np.float32(height / 14) / z, 0.5, 40)
        mix = np.where(y > -0.06, np.clip(crisp, 0, 1) * np.clip(below * 9, 0, 1), 0.0)
        depth = np.broadcast_to(np.clip(below - 0.02, 0, 1) * np.float32(0.62), (height, width)).astype(np.float32)
    elif background.kind == "tunnel":
        radius = np.hypot(x, y) + np.float32(0.05)
        mix = 0.5 + np.sin(np.float32(1.7 * f) / radius + np.float32(2.4 * t)) * np.clip(radius * 14 - 0.6, 0, 9)
        depth = np.clip((radius - np.float32(0.08)) * np.float32(0.75), 0, 0.5).astype(np.float32)
    elif background.kind == "waves":
        radius = np.hypot(x - np.float32(0.3) * c, y - np.float32(0.3) * s)
        mix = 0.5 + 0.5 * np.sin(np.float32(2 * np.pi * 2.4 * f) * radius - np.float32(2.6 * t))
    elif background.kind == "stars":
        mix = _stars(background, seconds, size)
    else:
        raise ValueError(f"unknown background {background.kind!r}; choose from {', '.join(BACKGROUNDS)}")
    return np.clip(np.broadcast_to(mix, (height, width)), 0, 1).astype(np.float32), depth
