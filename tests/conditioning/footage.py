"""Footage with known truth: scenes of the embedded model's world, textures that travel, screens and noise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.world.backgrounds import Background
from streamvace.world.scene import Body, Scene, render
from streamvace.world.styles import Look, compose, sample_look

Pixels = NDArray[np.uint8]
SIZE = (320, 184)
FPS = 24


@dataclass(frozen=True)
class Shot:
    """picture: uint8 `[H, W, 3]`. depth: uint8 `[H, W]`, near is bright. objects: bool `[H, W]`."""

    picture: Pixels
    depth: Pixels
    objects: NDArray[np.bool_]


def body(x: float = 0.87, y: float = 0.5, radius: float = 0.26, motion: str = "still", shape: str = "ball") -> Body:
    return Body(shape, motion, x, y, radius, 0.42 + radius, 0.0, 0.3, 1.0)


def film(
    scene: Scene, count: int, *, look_seed: int = 1, size: tuple[int, int] = SIZE, start: float = 0.0
) -> list[Shot]:
    """`count` frames of a scene, 24 a second."""
    look: Look = sample_look(np.random.default_rng(look_seed), len(scene.bodies))
    shots = []
    for k in range(count):
        maps = render(scene, start + k / FPS, size)
        shots.append(Shot(compose(maps, look), maps[1], maps[4:].max(0) > 127))
    return shots


def plain_scene(*bodies: Body, kind: str = "gradient") -> Scene:
    return Scene(bodies or (body(),), Background(kind, 0.4, 1.0, 0.0, 3), (0.0, 0.0))


def texture(size: tuple[int, int] = SIZE, seed: int = 0, margin: int = 64) -> Pixels:
    """Smooth noise in colour with structure at every scale, larger than the picture by a margin on every side."""
    rng = np.random.default_rng(seed)
    width, height = size[0] + 2 * margin, size[1] + 2 * margin
    total = np.zeros((height, width, 3), np.float32)
    for cell in (4, 8, 16, 32):
        small = rng.normal(0, cell, (height // cell + 2, width // cell + 2, 3)).astype(np.float32)
        total += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return cv2.normalize(total, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def travelling(picture: Pixels, dx: float, dy: float, size: tuple[int, int] = SIZE, margin: int = 64) -> Pixels:
    """A window onto a texture whose content has moved by (dx, dy) pixels to the right and down."""
    shift = np.array([[1, 0, dx - margin], [0, 1, dy - margin]], np.float32)
    return np.asarray(cv2.warpAffine(picture, shift, size, flags=cv2.INTER_CUBIC), dtype=np.uint8)


def noisy(picture: Pixels, rng: np.random.Generator, sigma: float = 4.0) -> Pixels:
    """A camera's noise."""
    return np.clip(picture + rng.normal(0, sigma, picture.shape), 0, 255).astype(np.uint8)


def iou(found: Pixels, truth: NDArray[np.bool_]) -> float:
    """Of a mask above one half and a truth."""
    selected = found > 127
    either = np.logical_or(selected, truth).sum()
    return float(np.logical_and(selected, truth).sum() / either) if either else 1.0


def flicker(pictures: list[Pixels]) -> float:
    """Mean change from frame to frame, 0..255."""
    changes = [np.abs(a.astype(np.int16) - b.astype(np.int16)).mean() for a, b in pairwise(pictures)]
    return float(np.mean(changes))


HOSTILE: dict[str, Pixels] = {
    "black": np.zeros((48, 64, 4), np.uint8),
    "white": np.full((48, 64, 4), 255, np.uint8),
    "one pixel": np.full((1, 1, 4), 130, np.uint8),
    "one row": np.full((1, 64, 3), 130, np.uint8),
    "one column": np.full((48, 1, 3), 130, np.uint8),
    "no alpha": np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8),
    "not contiguous": np.random.default_rng(2).integers(0, 256, (96, 128, 4), dtype=np.uint8)[::2, ::-2],
    "noise": np.random.default_rng(3).integers(0, 256, (37, 61, 4), dtype=np.uint8),
}
"""Frames that no camera should send and some program will."""
