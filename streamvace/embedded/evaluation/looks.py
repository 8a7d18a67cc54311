"""Are the looks told apart without colour? Every look over the same held-out scenes, as a wall shows it.

A look of drawn shapes follows depth. A look for cameras, whose prompt is a filter, follows brightness.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from streamvace.effects.effects import Effects
from streamvace.effects.look import NEUTRAL, Look
from streamvace.embedded.evaluation.confidence import Cell, figure
from streamvace.embedded.evaluation.references import SEED, Clip
from streamvace.embedded.evaluation.texture import told_apart
from streamvace.embedded.evaluation.trials import PLAIN
from streamvace.records.chunk import ChunkInput, Pixels
from streamvace.stream.generator import Generator
from streamvace.video.core.resize import with_alpha
from streamvace.world.filters import FILTERS
from streamvace.world.material_tiles import MATERIALS

LOOKS = Path(__file__).resolve().parents[1] / "looks.json"
LOOK_FRAMES = 9
"""The first chunk: a look is there from the first picture on."""


@dataclass(frozen=True)
class Shown:
    """A built-in look: its prompt and its screen."""

    name: str
    prompt: str
    screen: Look

    @property
    def filters(self) -> bool:
        """Whether it repaints brightness: a filter, or a material on everything."""
        words = self.prompt.split()
        return words[0] in FILTERS or (words[-1] in MATERIALS and len(words) <= 2)

    @property
    def material(self) -> bool:
        """Whether it shows a material."""
        return not MATERIALS.keys().isdisjoint(self.prompt.split())


def built_in_looks() -> list[Shown]:
    """The looks of the package."""
    found = []
    for cue in json.loads(LOOKS.read_text(encoding="utf-8"))["cues"]:
        values = cue["values"]
        own = {name.removeprefix("output/"): value for name, value in values.items() if name.startswith("output/")}
        found.append(Shown(cue["name"], values["prompt"], replace(NEUTRAL, **own)))
    return found


def look_picture(generator: Generator, look: Shown, clip: Clip, like: ChunkInput) -> Pixels:
    """The last frame of a first chunk in the look, uint8 `[H, W, 3]`."""
    generator.reset()
    control = clip.depth[: generator.frames_wanted()]
    if look.filters:
        grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in clip.frames[: len(control)]]
        control = np.repeat(np.stack(grey)[..., None], 3, axis=-1)
    made = generator.step(replace(like, prompt=look.prompt, seed=SEED, control=control)).frames[-1]
    return Effects()(with_alpha(made, None), look.screen, lambda: None)[..., :3].copy()


def look_cells(
    name: str,
    generator: Generator,
    clips: Sequence[Clip],
    progress: Callable[[str], None],
    like: ChunkInput = PLAIN,
) -> Iterator[Cell]:
    """The cells of a variant: all looks, those without a screen, and those of materials. `wrong` is chance."""
    looks, pictures = built_in_looks(), []
    for number, look in enumerate(looks):
        progress(f"looks: {name}, look {number + 1} of {len(looks)}")
        pictures.append([look_picture(generator, look, clip, like) for clip in clips])
    pairs = list(zip(pictures, looks, strict=True))
    groups = {
        "all": pictures,
        "without a screen": [made for made, look in pairs if look.screen == NEUTRAL],
        "of materials": [made for made, look in pairs if look.material],
    }
    for which, shown in groups.items():
        if not shown:
            continue
        condition = f"{len(shown)} looks, {which}"
        yield Cell(name, "looks", condition, "told apart in grey", figure(told_apart(shown)))
        yield Cell("wrong", "looks", condition, "told apart in grey", figure(np.array([1 / len(shown)])))
