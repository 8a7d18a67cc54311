"""The procedural world: scenes of moving objects, rendered to maps that hold everything but the colours.

Colours, style and caption are drawn later (see styles.py and captions.py), so one rendered clip serves many pictures.
numpy and OpenCV only: the same code is the live `pattern` source.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.world.backgrounds import BACKGROUNDS, Background, render_background
from streamvace.world.shapes import SHAPES, draw

Maps = NDArray[np.uint8]

FPS = 24
MOTIONS = ("still", "drifting", "orbiting", "bouncing", "pulsing", "spinning", "approaching", "swaying")
MAX_BODIES = 3
MAP_NAMES = ("mix", "depth", "diffuse", "rim", "alpha0", "alpha1", "alpha2")
"""The planes of a rendered frame: background mix, inverse depth, shading, and each object's visible coverage."""


@dataclass(frozen=True)
class Body:
    """One object. Position and radius in picture heights; phase and rates make it move."""

    shape: str
    motion: str
    x: float
    y: float
    radius: float
    near: float
    angle: float
    phase: float
    rate: float

    def pose(self, seconds: float) -> tuple[float, float, float, float, float]:
        """Where it is: (x, y, radius, angle, nearness 0..1). Smooth and bounded for ever."""
        w = self.rate * seconds + self.phase
        x, y, radius, angle, near = self.x, self.y, self.radius, self.angle, self.near
        if self.motion == "drifting":
            x, y = x + 0.22 * math.sin(0.9 * w), y + 0.14 * math.sin(0.63 * w + 1.0)
            angle += 0.25 * w
        elif self.motion == "orbiting":
            x, y = x + 0.20 * math.cos(1.5 * w), y + 0.20 * math.sin(1.5 * w)
        elif self.motion == "bouncing":
            x, y = x + 0.12 * math.sin(0.7 * w), y + 0.18 - 0.36 * abs(math.sin(1.7 * w))
        elif self.motion == "pulsing":
            radius *= 1 + 0.28 * math.sin(3.0 * w)
        elif self.motion == "spinning":
            angle += 2.2 * w
        elif self.motion == "approaching":
            zoom = math.exp(0.55 * math.sin(1.3 * w))
            radius, near = radius * zoom, near * zoom**0.7
        elif self.motion == "swaying":
            x, angle = x + 0.10 * math.sin(1.8 * w), angle + 0.55 * math.sin(1.8 * w)
        return x, y, radius, angle, min(near, 0.95)


@dataclass(frozen=True)
class Scene:
    """One to three objects in front of a background, and a gently panning camera."""

    bodies: tuple[Body, ...]
    background: Background
    pan: tuple[float, float] = (0.0, 0.0)


def sample_scene(rng: np.random.Generator, aspect: float = 1.0, bodies: int | None = None) -> Scene:
    """A random scene. aspect: width / height of the pictures; bodies: how many objects, default 1 to 3."""
    count = bodies or int(rng.choice([1, 2, 3], p=[0.5, 0.42, 0.08]))
    motion = str(rng.choice(MOTIONS))
    chosen = []
    for k in range(count):
        limit = {1: (0.16, 0.36), 2: (0.13, 0.25), 3: (0.11, 0.18)}[count]
        radius = float(rng.uniform(*limit))
        slot = (k + 0.5) / count
        x = aspect * (slot + float(rng.uniform(-0.16, 0.16)) / count)
        nearness = 0.30 + 0.95 * radius + float(rng.uniform(-0.08, 0.22))
        chosen.append(
            Body(
                shape=str(rng.choice(list(SHAPES))),
                motion=motion,
                x=x,
                y=float(rng.uniform(0.38, 0.62) if count == 1 else rng.uniform(0.30, 0.70)),
                radius=radius,
                near=min(nearness, 0.85),
                angle=float(rng.uniform(-math.pi, math.pi)),
                phase=float(rng.uniform(0, 2 * math.pi)),
                rate=float(rng.uniform(0.7, 1.5) * rng.choice([-1.0, 1.0])),
            )
        )
    background = Background(
        kind=str(rng.choice(BACKGROUNDS, p=[0.14, 0.18, 0.16, 0.12, 0.11, 0.08, 0.11, 0.10])),
        angle=float(rng.uniform(-math.pi, math.pi)),
        frequency=float(rng.uniform(0.75, 1.25)),
        speed=float(rng.uniform(0.5, 1.2)),
        seed=int(rng.integers(1 << 31)),
    )
    pan = (float(rng.normal(0, 0.03)), float(rng.normal(0, 0.02)))
    return Scene(tuple(chosen), background, pan)


def render(scene: Scene, seconds: float, size: tuple[int, int] = (128, 128)) -> Maps:
    """One frame as maps: uint8 `[7, H, W]` in the order of MAP_NAMES; size is (width, height)."""
    width, height = size
    mix, depth = render_background(scene.background, seconds, size)
    diffuse, rim = np.zeros_like(mix), np.zeros_like(mix)
    alphas = np.zeros((MAX_BODIES, height, width), np.float32)
    sway = math.sin(seconds * 1.1), math.cos(seconds * 0.8)
    poses = [body.pose(seconds) for body in scene.bodies]
    for index in sorted(range(len(poses)), key=lambda i: poses[i][4]):
        x, y, radius, angle, near = poses[index]
        centre = (x + scene.pan[0] * sway[0], y + scene.pan[1] * sway[1])
        patch = draw(SHAPES[scene.bodies[index].shape], centre, radius, angle, size)
        if patch is None:
            continue
        cover = patch.coverage
        rest = 1 - cover
        for plane in alphas:
            plane[patch.box] *= rest
        alphas[index][patch.box] += cover
        surface = np.clip(near * (0.70 + 0.60 * patch.bulge * min(1.0, radius / 0.25)), 0, 1)
        depth[patch.box] = depth[patch.box] * rest + surface * cover
        diffuse[patch.box] = diffuse[patch.box] * rest + patch.diffuse * cover
        rim[patch.box] = rim[patch.box] * rest + patch.rim * cover
    planes = np.stack([mix, depth, diffuse, rim, *alphas])
    return (planes * 255 + 0.5).astype(np.uint8)


def edges(maps: Maps, thickness: int = 2) -> NDArray[np.uint8]:
    """White outlines on black, uint8 `[H, W]`: where the objects end and where their surfaces break.

    Taken from coverage and shading, not from colours, so every recolouring of a clip has the same edges.
    """
    outline = np.zeros(maps.shape[1:], np.uint8)
    one = np.ones((2, 2), np.uint8)
    for alpha in maps[4:]:
        if alpha.any():
            outline = np.maximum(outline, cv2.morphologyEx(alpha, cv2.MORPH_GRADIENT, one))
    if thickness > 1:
        outline = cv2.dilate(outline, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (thickness, thickness)))
    return outline
