"""Builds a ChunkInput from a snapshot and its layout, live and offline. Pure."""

from __future__ import annotations

from streamvace.control.parameters import Snapshot
from streamvace.live.director.block_curve import block_scales
from streamvace.live.director.layout import Layout
from streamvace.live.director.prompts import plain, wanted_mix
from streamvace.live.director.stills import Stills
from streamvace.records.chunk import ChunkInput


def shape_chunk(
    snapshot: Snapshot,
    layout: Layout,
    blocks: int,
    *,
    stills: Stills | None = None,
    reset: bool = False,
    captured_ns: int = 0,
) -> ChunkInput:
    """The next chunk's input.

    blocks: number of context blocks of the pipeline. stills: None: no pictures. reset, captured_ns: see ChunkInput.
    """
    stills = stills or Stills()
    return ChunkInput(
        prompt=plain(wanted_mix(snapshot)),
        seed=snapshot.integer("/streamvace/seed"),
        context_scale=snapshot.number("/streamvace/context_scale"),
        control=layout.control,
        mask=layout.mask,
        source=layout.source,
        references=stills.references,
        reference_mode=snapshot.text("/streamvace/reference_mode"),
        first_frame=stills.first_frame,
        last_frame=stills.last_frame,
        scale_map=layout.scale_map,
        block_scales=block_scales(
            snapshot.text("/streamvace/block_curve"), snapshot.number("/streamvace/block_contrast"), blocks
        ),
        second_control=layout.second,
        second_weight=snapshot.number("/streamvace/second_control/weight"),
        denoise_steps=snapshot.integer("/streamvace/denoise_steps"),
        hint_reuse=snapshot.integer("/streamvace/hint_reuse"),
        hint_threshold=snapshot.number("/streamvace/hint_threshold"),
        history_hints=snapshot.flag("/streamvace/history_hints"),
        noise_scale=None if snapshot.flag("/streamvace/follow_motion") else snapshot.number("/streamvace/noise_scale"),
        lora_strength=snapshot.number("/streamvace/lora_strength"),
        lora_region=snapshot.text("/streamvace/lora_region"),
        past_bias=snapshot.number("/streamvace/past_bias"),
        reset=reset,
        generation=snapshot.generation,
        captured_ns=captured_ns,
        snapshot_version=snapshot.version,
    )
