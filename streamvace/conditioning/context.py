"""Control frames and mask -> VACE context (paper section 3.2; VACE's dual-stream encoding).

The context of one chunk is `[inactive z | reactive z | mask 64]`. Pixels to keep and pixels to generate are encoded by
separate encoder streams, so neither sees the other's history (the reference implementation shares one stream).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch
import torch.nn.functional as F
from torch import Tensor

from streamvace.model.autoencoder.base import Autoencoder, CodecState

MASK_CELL = 8
"""Mask pixels along each side of a latent cell: VACE packs 8x8 pixels into 64 channels. For codecs with a larger
stride, the mask is averaged down to this size."""


@dataclass(frozen=True)
class ContextState:
    """The encoder streams. None: no history (the stream starts, or it was interrupted).

    inactive: pixels to keep. reactive, second: pixels to generate, of the control and of the second control.
    grey: latents `[B, z, f, h, w]` of a chunk that keeps nothing. Set once the inactive stream has reached a fixed
        point on such chunks, so that encoding another one can be skipped; None before.
    """

    inactive: CodecState | None = None
    reactive: CodecState | None = None
    second: CodecState | None = None
    grey: Tensor | None = None


Anchors = Mapping[int, Tensor]
"""Given pictures `[B, 3, H, W]` in -1..1, by the index of their pixel frame in the chunk."""


def nearest_frames(count: int, frames: int) -> list[int]:
    """For each of `frames` latent frames, the index among `count` pixel frames that represents it (nearest-exact, as in
    VACE)."""
    return [int((index + 0.5) * count / frames) for index in range(frames)]


def pack_mask(mask: Tensor, frames: int, height: int, width: int) -> Tensor:
    """Pack a mask into latent channels.

    mask: `[B, 1, F, H, W]`, 0..1; soft values are kept. Returns `[B, 64, frames, height, width]` for a latent grid of
    height x width; channel = dy * 8 + dx. In time, each latent frame takes its nearest-exact pixel frame (VACE).
    """
    cells = mask[:, 0, nearest_frames(mask.shape[2], frames)]
    if cells.shape[-2:] != (height * MASK_CELL, width * MASK_CELL):
        cells = F.interpolate(cells, size=(height * MASK_CELL, width * MASK_CELL), mode="area")
    return F.pixel_unshuffle(cells.unsqueeze(2), MASK_CELL).transpose(1, 2)


def encode_context(
    codec: Autoencoder,
    state: ContextState,
    control: Tensor,
    mask: Tensor | None,
    first: bool,
    anchors: Anchors = MappingProxyType({}),
) -> tuple[Tensor, ContextState]:
    """The VACE context of one chunk, and the encoder streams after it.

    control: `[B, 3, F, H, W]` in -1..1. mask: `[B, 1, F, H, W]` in 0..1, 1 = generate, or None: generate everything
    (structural control). first: the chunk starts the stream, so F = 1 + 4 (f - 1) frames instead of 4 f.

    With a mask, the reactive stream has no history, so that the hole's previous content does not ghost into this chunk;
    it stays aligned in time. It restarts when the mask is removed. Anchors do not interrupt a stream.
    """
    inactive_pixels, reactive_pixels = _split(control, mask, anchors)
    nothing_kept = mask is None and not anchors
    if nothing_kept and state.grey is not None:
        inactive, inactive_state = state.grey, state.inactive
    else:
        inactive, inactive_state = _continue(codec, inactive_pixels, state.inactive, first)
        settled = nothing_kept and state.inactive is not None and all(map(torch.equal, state.inactive, inactive_state))
        state = replace(state, grey=inactive if settled else None)
    reactive, reactive_state = _continue(codec, reactive_pixels, state.reactive if mask is None else None, first)
    batch, _, frames, height, width = inactive.shape
    if nothing_kept:
        packed = inactive.new_ones((batch, MASK_CELL * MASK_CELL, frames, height, width))
    else:
        whole = torch.ones_like(control[:, :1]) if mask is None else mask.clone()
        whole[:, :, list(anchors)] = 0
        packed = pack_mask(whole.to(inactive.dtype), frames, height, width)
    context = torch.cat((inactive, reactive, packed), dim=1)
    return context, replace(state, inactive=inactive_state, reactive=reactive_state if mask is None else None)


def second_context(
    codec: Autoencoder,
    state: ContextState,
    context: Tensor,
    control: Tensor,
    mask: Tensor | None,
    first: bool,
    anchors: Anchors = MappingProxyType({}),
) -> tuple[Tensor, ContextState]:
    """The context of a second control. It shares the kept pixels and the mask of the first control's `context`."""
    _, pixels = _split(control, mask, anchors)
    reactive, stream = _continue(codec, pixels, state.second if mask is None else None, first)
    z = reactive.shape[1]
    joined = torch.cat((context[:, :z], reactive, context[:, 2 * z :]), dim=1)
    return joined, replace(state, second=stream if mask is None else None)


def reference_context(latents: Tensor, channels: int) -> Tensor:
    """References `[B, z, N, h, w]` as a VACE context `[B, channels, N, h, w]`: all kept, nothing reactive, mask 0."""
    return F.pad(latents, (0, 0, 0, 0, 0, 0, 0, channels - latents.shape[1]))


def _split(control: Tensor, mask: Tensor | None, anchors: Anchors) -> tuple[Tensor, Tensor]:
    """Pixels to keep and pixels to generate, mid grey (0) elsewhere."""
    if mask is None:
        kept, generated = torch.zeros_like(control), control.clone() if anchors else control
    else:
        generate = mask > 0.5
        kept, generated = control.masked_fill(generate, 0.0), control.masked_fill(~generate, 0.0)
    for frame, picture in anchors.items():
        # Under a mask, an anchor fills only the hole; kept pixels stay as they are.
        beside = kept[:, :, frame]
        kept[:, :, frame] = picture if mask is None else torch.where(mask[:, :, frame] > 0.5, picture, beside)
        generated[:, :, frame] = 0
    return kept, generated


def _continue(codec: Autoencoder, pixels: Tensor, stream: CodecState | None, first: bool) -> tuple[Tensor, CodecState]:
    # A codec may prime the blank state with the stream's first frame, so each stream needs its own.
    return codec.encode(pixels, stream if stream is not None or first else codec.blank_state(pixels))
