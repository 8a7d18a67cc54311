"""Captions of the world's pictures, from a closed vocabulary; parts are dropped at random so short prompts work too."""

from __future__ import annotations

import numpy as np

from streamvace.world.backgrounds import BACKGROUNDS
from streamvace.world.filters import FILTERS, PHOTO
from streamvace.world.scene import MOTIONS, Scene
from streamvace.world.shapes import SHAPES
from streamvace.world.styles import COLOURS, STYLES, Look

FILLER = ("and", "on", "background")
VOCABULARY: tuple[str, ...] = (
    *COLOURS, "black", *SHAPES, *MOTIONS, *BACKGROUNDS, *STYLES, *FILLER, PHOTO, *FILTERS
)  # fmt: skip
"""Every word the embedded model knows; a word's index here plus one is its token (0 is padding)."""


def caption(
    scene: Scene, look: Look, seconds: float, flipped: bool = False, rng: np.random.Generator | None = None
) -> str:
    """What the picture shows, objects from left to right as they are at `seconds`.

    flipped: the picture is mirrored. rng: drop parts at random, as a training caption; None = say everything.
    """

    def say(chance: float) -> bool:
        return rng is None or bool(rng.random() < chance)

    order = sorted(range(len(scene.bodies)), key=lambda i: scene.bodies[i].pose(seconds)[0], reverse=flipped)
    words = [look.style] if say(0.9) else []
    name_shapes, name_colours = say(0.9), say(0.95)
    things = []
    for index in order:
        colour = [look.bodies[index]] if name_colours or not name_shapes else []
        things.append(colour + ([scene.bodies[index].shape] if name_shapes else []))
    for position, thing in enumerate(things):
        words += (["and"] if position else []) + thing
    if say(0.6):
        words.append(scene.bodies[0].motion)
    kind = scene.background.kind
    colours = [look.backdrop[0]] if kind == "plain" else [look.backdrop[0], "and", look.backdrop[1]]
    tail = (colours if say(0.85) else []) + ([kind] if say(0.85) else [])
    return " ".join(words + (["on", *tail, "background"] if tail else []))
