"""The live pattern source: an endless, deterministic moving signal made of the embedded model's own world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from streamvace.world.backgrounds import Background
from streamvace.world.scene import Body, Scene, edges, render
from streamvace.world.shapes import SHAPES
from streamvace.world.styles import compose, paint, rgb, sample_look

KINDS = ("light", "depth", "edges", "scene")
BEHIND: Mapping[str, tuple[str, ...]] = {
    "light": ("waves", "plasma", "tunnel", "stripes"),
    "scene": ("gradient", "plasma", "waves", "stars"),
}
"""Kind to the backgrounds of its scenes, in turn; the others show what stands before them only."""
WHITE, GRAY, BLACK = (rgb(name)[:1] for name in ("white", "gray", "black"))
SCENE_SECONDS = 16.0
"""How long one arrangement of objects stays before the next one grows in."""
HEAD_START = 2.0
"""Where in the first arrangement frame(0) is, in seconds: its objects have grown, so the very first picture shows
something to follow."""


class PatternStream:
    """`frame(seconds)` for ever. The same (kind, size, seed, seconds) gives the same frame.

    kind: "light" (in black and white: bright objects before a moving pattern), "depth" (near is bright, nothing behind
    the objects), "edges" (their outlines) or "scene" (in colour). size: (width, height) in pixels.
    """

    def __init__(self, kind: str, size: tuple[int, int], seed: int = 0) -> None:
        if kind not in KINDS:
            raise ValueError(f"unknown pattern {kind!r}; choose from {', '.join(KINDS)}")
        self.kind, self.size, self.seed = kind, size, seed
        self._act: tuple[int, Scene, np.random.Generator] | None = None

    def frame(self, seconds: float) -> NDArray[np.uint8]:
        """One frame, uint8 `[H, W, 3]`."""
        seconds += HEAD_START
        index = int(seconds // SCENE_SECONDS)
        if self._act is None or self._act[0] != index:
            rng = np.random.default_rng((self.seed, index))
            self._act = (index, self._arrange(index, rng), rng)
            self._look = sample_look(rng, len(self._act[1].bodies))
        grown = _grown(seconds - index * SCENE_SECONDS)
        maps = render(_scaled(self._act[1], grown), seconds, self.size)
        if self.kind == "light":
            maps[0] = (maps[0] * grown).astype(np.uint8)
            # In one channel: the pattern is drawn beside the model, on the same processor.
            gray = paint(maps, "glossy", [WHITE] * len(self._act[1].bodies), (BLACK, GRAY))
            return np.repeat(gray, 3, axis=2)
        if self.kind == "scene":
            return compose(maps, self._look)
        plane = edges(maps, max(2, round(self.size[1] / 64))) if self.kind == "edges" else maps[1]
        return np.repeat(plane[..., None], 3, axis=2)

    def _arrange(self, index: int, rng: np.random.Generator) -> Scene:
        """Act number `index`: one big object, or two beside each other, always inside the picture."""
        aspect = self.size[0] / self.size[1]
        count = int(rng.choice([1, 2]))
        bodies = []
        for k, shape in enumerate(rng.choice(list(SHAPES), count, replace=False)):
            radius = float(rng.uniform(0.23, 0.28) if count == 1 else rng.uniform(0.16, 0.20))
            motions = ["drifting", "orbiting", "approaching", "swaying"] if count == 1 else ["approaching", "swaying"]
            bodies.append(
                Body(
                    shape=str(shape),
                    motion=str(rng.choice([*motions, "bouncing"] if count == 1 else [*motions, "spinning", "pulsing"])),
                    x=aspect * (0.5 if count == 1 else 0.28 + 0.44 * k),
                    y=float(rng.uniform(0.46, 0.54)),
                    radius=radius,
                    near=0.42 + radius,
                    angle=float(rng.uniform(-3, 3)),
                    phase=float(rng.uniform(0, 6.28)),
                    rate=float(rng.uniform(0.7, 1.1)),
                )
            )
        behind = BEHIND.get(self.kind, ("plain",))
        kind = behind[(self.seed + index) % len(behind)]
        background = Background(kind, float(rng.uniform(-3, 3)), 1.3, 0.7, int(rng.integers(1 << 31)))
        return Scene(tuple(bodies), background, (0.02, 0.015))


def _grown(age: float) -> float:
    """0..1: what there is grows in over a second and shrinks away in the last one: no hard cuts."""
    size = min(1.0, age / 1.0, (SCENE_SECONDS - age) / 1.0)
    return size * size * (3 - 2 * size)


def _scaled(scene: Scene, grown: float) -> Scene:
    ease = max(0.02, grown)
    if ease >= 1.0:
        return scene
    bodies = tuple(replace(b, radius=b.radius * ease, near=b.near * (0.3 + 0.7 * ease)) for b in scene.bodies)
    return replace(scene, bodies=bodies)
