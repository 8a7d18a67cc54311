"""From input pictures and one snapshot to what shapes a chunk; live and offline alike. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from streamvace.chunk import ChunkInput, Pixels
from streamvace.live.parameters import Snapshot
from streamvace.live.prompts import plain, wanted_mix
from streamvace.live.stills import Stills


@dataclass(frozen=True)
class Pictures:
    """What the inputs showed, by role; each uint8 `[F, H, W, 4]` of the show's size, straight alpha, or None without an
    input. One array in several roles is one input that plays them all."""

    control: Pixels | None = None
    mask: Pixels | None = None
    source: Pixels | None = None

    @classmethod
    def of_one(cls, pictures: Pixels) -> Pictures:
        """One input in every role."""
        return cls(pictures, pictures, pictures)


ROLES = tuple(role.name for role in fields(Pictures))
"""What an input can be used for."""


def shape_chunk(
    snapshot: Snapshot,
    pictures: Pictures,
    masks: Pixels | None = None,
    *,
    stills: Stills | None = None,
    reset: bool = False,
    captured_ns: int = 0,
) -> ChunkInput:
    """The next chunk's input.

    masks: uint8 `[F, H, W]` that go before the parameter `mask_source`. stills: from the media folder; None: there are
    none. reset, captured_ns: see ChunkInput.
    """
    stills = stills or Stills()
    control = _colours(pictures.control) if snapshot.flag("/streamvace/control") else None
    source = _colours(pictures.source) if snapshot.flag("/streamvace/video_to_video") else None
    mask = None
    if masks is None and pictures.mask is not None and snapshot.text("/streamvace/mask_source") == "alpha":
        masks = pictures.mask[..., 3]
    if masks is not None and control is not None:
        mask = mask_from_alpha(masks, invert=snapshot.flag("/streamvace/mask_invert"))
    return ChunkInput(
        prompt=plain(wanted_mix(snapshot)),
        seed=snapshot.integer("/streamvace/seed"),
        context_scale=snapshot.number("/streamvace/context_scale"),
        control=control,
        mask=mask,
        source=source,
        references=stills.references,
        reference_mode=snapshot.text("/streamvace/reference_mode"),
        noise_scale=None if snapshot.flag("/streamvace/follow_motion") else snapshot.number("/streamvace/noise_scale"),
        lora_strength=snapshot.number("/streamvace/lora_strength"),
        lora_region=snapshot.text("/streamvace/lora_region"),
        past_bias=snapshot.number("/streamvace/past_bias"),
        reset=reset,
        generation=snapshot.generation,
        captured_ns=captured_ns,
        snapshot_version=snapshot.version,
    )


def leading_role(snapshot: Snapshot) -> str:
    """The role whose newest picture the next chunk is to show; "" when no input plays a part in it."""
    if snapshot.flag("/streamvace/control"):
        return "control"
    return "source" if snapshot.flag("/streamvace/video_to_video") else ""


def mask_from_alpha(alpha: Pixels, *, invert: bool) -> Pixels:
    """uint8 `[F, H, W]`, 255 = generate. Opaque is generated and transparent is kept, unless inverted."""
    return np.ascontiguousarray(255 - alpha if invert else alpha)


def _colours(pictures: Pixels | None) -> Pixels | None:
    return None if pictures is None else np.ascontiguousarray(pictures[..., :3])
