"""The warm-up chunks of a generator, so that no path compiles or allocates for the first time in a show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from streamvace.model.specs import PipelineSpec
from streamvace.records.chunk import ChunkInput, PromptMix

SWITCH = PromptMix((("warm up", 1.0), ("switch", 3.0)))
CONTROL = ("control",)
EVERYTHING = (
    "control", "mask", "source", "references", "first_frame", "last_frame", "second_control", "scale_map",
)  # fmt: skip


def rehearsal(
    spec: PipelineSpec, regional: bool, captured: bool = False
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """For each chunk, the picture fields of ChunkInput to fill and the values of other fields.

    Control until the cache is full, then every mode alone, all of them at once, and a prompt switch. Only one reference
    is rehearsed: eight need more memory, and a card that lacks it must not be refused when eight are never used.
    regional: there are side LoRAs, which are switched off at strength 0. captured: passes become CUDA graphs here, so
    the long-term memory fills too, and references beside a control occur in both modes.
    """
    filling = -(-spec.cache.window // spec.chunk) + 1
    if captured:
        filling = max(filling, spec.cache.bank * spec.cache.record_every)
    for _ in range(filling):
        yield CONTROL, {}
    yield ("control", "mask"), {"lora_region": "mask"}
    yield ("control", "source"), {}
    yield ("references",), {"reference_mode": "joint"}
    if captured:
        yield ("control", "references"), {"reference_mode": "memory"}
    yield EVERYTHING, {"reference_mode": "memory", "lora_region": "mask", "history_hints": True}
    if regional:
        yield CONTROL, {"lora_strength": 0.0}
    if spec.score_bias:
        yield CONTROL, {"past_bias": 0.5}
    yield (), {}
    yield (), {"prompt": SWITCH}
    yield CONTROL, {"cut": "soft"}


def rehearsal_input(
    names: tuple[str, ...], others: dict[str, Any], frames: int, size: tuple[int, int], regional: bool
) -> ChunkInput:
    """A chunk of black pictures. frames: its pixel frames. size: (width, height). regional: there are side LoRAs."""
    width, height = size
    picture = (height, width, 3)
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("control", "source", "second_control"), (frames, *picture))
    shapes |= dict.fromkeys(("mask", "scale_map"), (frames, height, width))
    shapes |= {"references": (1, *picture), "first_frame": picture, "last_frame": picture}
    given = ChunkInput(
        **{"prompt": SWITCH.texts[0]} | {name: np.zeros(shapes[name], np.uint8) for name in names} | others
    )
    return given if regional else replace(given, lora_region="everywhere")
