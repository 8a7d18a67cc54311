"""From input pictures and one snapshot to what shapes a chunk; live and offline alike. Pure."""

from __future__ import annotations

import numpy as np

from streamvace.chunk import ChunkInput, Pixels
from streamvace.live.parameters import Snapshot


def shape_chunk(
    snapshot: Snapshot,
    pictures: Pixels | None,
    masks: Pixels | None = None,
    *,
    reset: bool = False,
    captured_ns: int = 0,
) -> ChunkInput:
    """The next chunk's input.

    pictures: uint8 `[F, H, W, 4]` of the show's size, straight alpha, or None without an input. masks: uint8
    `[F, H, W]` that go before the parameter `mask_source`. reset, captured_ns: see ChunkInput.
    """
    control = source = mask = None
    if pictures is not None:
        colours = np.ascontiguousarray(pictures[..., :3])
        control = colours if snapshot.flag("/streamvace/control") else None
        source = colours if snapshot.flag("/streamvace/video_to_video") else None
        if masks is None and snapshot.text("/streamvace/mask_source") == "alpha":
            masks = pictures[..., 3]
        if masks is not None and control is not None:
            mask = mask_from_alpha(masks, invert=snapshot.flag("/streamvace/mask_invert"))
    return ChunkInput(
        prompt=snapshot.text("/streamvace/prompt"),
        seed=snapshot.integer("/streamvace/seed"),
        context_scale=snapshot.number("/streamvace/context_scale"),
        control=control,
        mask=mask,
        source=source,
        noise_scale=None if snapshot.flag("/streamvace/follow_motion") else snapshot.number("/streamvace/noise_scale"),
        lora_strength=snapshot.number("/streamvace/lora_strength"),
        lora_region=snapshot.text("/streamvace/lora_region"),
        reset=reset,
        generation=snapshot.generation,
        captured_ns=captured_ns,
        snapshot_version=snapshot.version,
    )


def wants_input(snapshot: Snapshot) -> bool:
    """Whether the input picture plays a part in the next chunk at all."""
    return snapshot.flag("/streamvace/control") or snapshot.flag("/streamvace/video_to_video")


def mask_from_alpha(alpha: Pixels, *, invert: bool) -> Pixels:
    """uint8 `[F, H, W]`, 255 = generate. Opaque is generated and transparent is kept, unless inverted."""
    return np.ascontiguousarray(255 - alpha if invert else alpha)
