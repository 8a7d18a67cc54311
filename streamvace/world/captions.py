"""Captions of the world's pictures, from a closed vocabulary. Random parts are dropped, so that short prompts work."""

from __future__ import annotations

import numpy as np

from streamvace.world.backgrounds import BACKGROUNDS
from streamvace.world.filters import FILTERS, PHOTO
from streamvace.world.material_tiles import MATERIALS
from streamvace.world.scene import MOTIONS, Scene
from streamvace.world.shapes import SHAPES
from streamvace.world.styles import COLOURS, STYLES, Look

FILLER = ("and", "on", "background")
VOCABULARY: tuple[str, ...] = (
    *COLOURS, "black", *SHAPES, *MOTIONS, *BACKGROUNDS, *STYLES, *FILLER, PHOTO, *FILTERS, *MATERIALS
)  # fmt: skip
"""All words the embedded model knows. A word's token is its index plus one; 0 is padding. New words come last."""


def caption(
    scene: Scene, look: Look, seconds: float, flipped: bool = False, rng: np.random.Generator | None = None
) -> str:
    """The caption of a picture, with objects from left to right at time `seconds`.

    flipped: the picture is mirrored. rng: drops random parts, for training; None: the full caption.
    """

    def say(chance: float) -> bool:
        return rng is None or bool(rng.random() < chance)

    order = sorted(range(len(scene.bodies)), key=lambda i: scene.bodies[i].pose(seconds)[0], reverse=flipped)
    styled = not (look.materials and look.ground)
    words = [look.style] if styled and say(0.9) else []
    name_shapes, name_colours = say(0.9), say(0.95)
    things = []
    for index in order:
        material = [look.materials[index]] if look.materials else []
        colour = [look.bodies[index]] if look.bodies[index] and (name_colours or not name_shapes or material) else []
        things.append(colour + material + ([scene.bodies[index].shape] if name_shapes else []))
    for position, thing in enumerate(things):
        words += (["and"] if position else []) + thing
    if say(0.6):
        words.append(scene.bodies[0].motion)
    kind = scene.background.kind
    if look.ground:
        colours = [look.backdrop[0], look.ground] if look.backdrop[0] else [look.ground]
    elif kind == "plain":
        colours = [look.backdrop[0]]
    else:
        colours = [look.backdrop[0], "and", look.backdrop[1]]
    tail = (colours if look.ground or say(0.85) else []) + ([kind] if say(0.85) else [])
    return " ".join(words + (["on", *tail, "background"] if tail else []))
