"""The live pattern source: an endless, deterministic moving signal made of the embedded model's own world."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvace.embedded.backgrounds import Background
from streamvace.embedded.styles import compose, sample_look
from streamvace.embedded.world import Body, Scene, edges, render

KINDS = ("depth", "edges", "scene")
SCENE_SECONDS = 16.0
"""How long one arrangement of objects stays before the next one grows in."""


class PatternStream:
    """`frame(seconds)` for ever. The same (kind, size, seed, seconds) gives the same frame.

    kind: "depth" (near is bright, nothing behind the objects), "edges" (their outlines) or "scene" (in colour).
    size: (width, height) in pixels.
    """

    def __init__(self, kind: str, size: tuple[int, int], seed: int = 0) -> None:
        if kind not in KINDS:
            raise ValueError(f"unknown pattern {kind!r}; choose from {', '.join(KINDS)}")
        self.kind, self.size, self.seed = kind, size, seed
        self._act: tuple[int, Scene, np.random.Generator] | None = None

    def frame(self, seconds: float) -> NDArray[np.uint8]:
        """One frame, uint8 `[H, W, 3]`."""
        index = int(seconds // SCENE_SECONDS)
        if self._act is None or self._act[0] != index:
            rng = np.random.default_rng((self.seed, index))
            self._act = (index, self._arrange(rng), rng)
            self._look = sample_look(rng, len(self._act[1].bodies))
        scene = self._grown(self._act[1], seconds - index * SCENE_SECONDS)
        maps = render(scene, seconds, self.size)
        if self.kind == "scene":
            return compose(maps, self._look)
        plane = edges(maps, max(2, round(self.size[1] / 64))) if self.kind == "edges" else maps[1]
        return np.repeat(plane[..., None], 3, axis=2)

    def _arrange(self, rng: np.random.Generator) -> Scene:
        """One big object, or two that circle each other, always in the picture."""
        aspect = self.size[0] / self.size[1]
        count = int(rng.choice([1, 2]))
        shapes = rng.choice(["ball", "cube", "ring", "pyramid", "star", "capsule", "heart", "cross"], count, replace=False)
        bodies = []
        for k, shape in enumerate(shapes):
            x = aspect * (0.5 if count == 1 else 0.3 + 0.4 * k)
            radius = float(rng.uniform(0.24, 0.32) if count == 1 else rng.uniform(0.17, 0.22))
            motion = str(rng.choice(["drifting", "orbiting", "approaching", "swaying", "bouncing"]))
            bodies.append(
                Body(str(shape), motion, x, float(rng.uniform(0.44, 0.56)), radius, 0.35 + radius,
                     float(rng.uniform(-3, 3)), float(rng.uniform(0, 6.28)), float(rng.uniform(0.6, 1.0)))
            )
        kind = str(rng.choice(["gradient", "plasma", "waves", "stars"])) if self.kind == "scene" else "plain"
        background = Background(kind, float(rng.uniform(-3, 3)), 1.0, 0.7, int(rng.integers(1 << 31)))
        return Scene(tuple(bodies), background, (0.03, 0.02))

    @staticmethod
    def _grown(scene: Scene, age: float) -> Scene:
        """Objects grow in over a second and shrink away in the last one: no hard cuts."""
        size = min(1.0, age / 1.0, (SCENE_SECONDS - age) / 1.0)
        if size >= 1.0:
            return scene
        ease = max(0.02, size * size * (3 - 2 * size))
        bodies = tuple(
            Body(b.shape, b.motion, b.x, b.y, b.radius * ease, b.near * (0.3 + 0.7 * ease), b.angle, b.phase, b.rate)
            for b in scene.bodies
        )
        return Scene(bodies, scene.background, scene.pan)
