"""Checks a ChunkInput before the stream changes, and notes options that have no effect."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from streamvace.model.specs import PipelineSpec
from streamvace.records.chunk import CUTS, MAX_REFERENCES, NOISE_RULES, REFERENCE_MODES, ChunkInput


def check_chunk(given: ChunkInput, frames: int, size: tuple[int, int], context_blocks: int) -> None:
    """Raises ValueError when the count, size, dtype or range of an input does not fit the next chunk.

    frames: pixel frames of the chunk. size: (width, height). context_blocks: number of blocks of the context branch.
    """
    width, height = size
    references = min(MAX_REFERENCES, max(1, 0 if given.references is None else len(given.references)))
    picture = (height, width, 3)
    for name, array, wanted in (
        ("control", given.control, (frames, *picture)),
        ("mask", given.mask, (frames, height, width)),
        ("source", given.source, (frames, *picture)),
        ("second_control", given.second_control, (frames, *picture)),
        ("scale_map", given.scale_map, (frames, height, width)),
        ("references", given.references, (references, *picture)),
        ("first_frame", given.first_frame, picture),
        ("last_frame", given.last_frame, picture),
    ):
        if array is not None and (array.shape != wanted or array.dtype != np.uint8):
            raise ValueError(f"{name} is {array.dtype} {list(array.shape)}, this chunk takes uint8 {list(wanted)}")
    if given.reference_mode not in REFERENCE_MODES:
        raise ValueError(f"reference mode {given.reference_mode!r}; there are: {', '.join(REFERENCE_MODES)}")
    if given.cut not in CUTS:
        raise ValueError(f"cut {given.cut!r}; there are: {', '.join(filter(None, CUTS))}")
    if given.noise_rule not in NOISE_RULES:
        raise ValueError(f"noise rule {given.noise_rule!r}; there are: {', '.join(NOISE_RULES)}")
    if given.block_scales and len(given.block_scales) != context_blocks:
        raise ValueError(f"{len(given.block_scales)} block scales, this pipeline has {context_blocks} context blocks")
    for name, value, most in (
        ("context_scale", given.context_scale, 2),
        ("second_weight", given.second_weight, 1),
        ("hint_threshold", given.hint_threshold, 1),
        ("lora_strength", given.lora_strength, 2),
        *(("block_scales", scale, 2) for scale in given.block_scales),
    ):
        if not 0 <= value <= most:
            raise ValueError(f"{name} is {value}, it must be from 0 to {most}")
    if not 0 < given.past_bias <= 1:
        raise ValueError(f"past_bias is {given.past_bias}, it must be above 0 and at most 1")
    if given.denoise_steps < 0:
        raise ValueError(f"denoise_steps is {given.denoise_steps}, it must be 0 or more")
    if given.hint_reuse < 1:
        raise ValueError(f"hint_reuse is {given.hint_reuse}, it must be at least 1")


def settled(given: ChunkInput, spec: PipelineSpec) -> ChunkInput:
    """The input with `auto` replaced by the pipeline's own choice."""
    if given.reference_mode != "auto":
        return given
    return replace(given, reference_mode="joint" if spec.learned_references else "memory")


def remarks(given: ChunkInput, spec: PipelineSpec) -> tuple[str, ...]:
    """One line for each option that this pipeline does not support."""
    notes: tuple[str, ...] = ()
    if given.past_bias != 1 and not spec.score_bias:
        notes += (f"/streamvace/past_bias: has no effect in {spec.name}, only in Krea Realtime",)
    if given.history_hints and spec.history == "recompute":
        notes += (f"/streamvace/history_hints: has no effect in {spec.name}, which recomputes its history",)
    if given.references is not None and given.reference_mode != "memory" and not spec.learned_references:
        notes += (f"/streamvace/references: the {spec.name} model was trained without them; use reference_mode memory",)
    return notes
