"""Control frames and mask -> VACE context (paper section 3.2; VACE's dual-stream encoding).

The context of one chunk is `[inactive z | reactive z | mask 64]`: pixels to keep and pixels to generate are encoded
apart, each through its own encoder stream, so neither sees the other's history (the reference shares one).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from streamvace.model.autoencoder.base import Autoencoder, CodecState

MASK_CELL = 8
"""Mask pixels a latent cell side: VACE packs 8x8 into 64 channels. Codecs with a larger stride average down to it."""


@dataclass(frozen=True)
class ContextState:
    """The two encoder streams. None: nothing to continue from (stream start, or the stream was interrupted)."""

    inactive: CodecState | None = None
    reactive: CodecState | None = None


def nearest_frames(count: int, frames: int) -> list[int]:
    """Which of `count` pixel frames stands for each of `frames` latent frames: nearest-exact, as VACE picks them."""
    return [int((index + 0.5) * count / frames) for index in range(frames)]


def pack_mask(mask: Tensor, frames: int, height: int, width: int) -> Tensor:
    """Mask to latent channels.

    mask: `[B, 1, F, H, W]`, 0..1, soft values kept. Returns `[B, 64, frames, height, width]` for a latent grid of
    height x width; channel = dy * 8 + dx; in time the nearest-exact frame of each latent frame (VACE).
    """
    cells = mask[:, 0, nearest_frames(mask.shape[2], frames)]
    if cells.shape[-2:] != (height * MASK_CELL, width * MASK_CELL):
        cells = F.interpolate(cells, size=(height * MASK_CELL, width * MASK_CELL), mode="area")
    return F.pixel_unshuffle(cells.unsqueeze(2), MASK_CELL).transpose(1, 2)


def encode_context(
    codec: Autoencoder, state: ContextState, control: Tensor, mask: Tensor | None, first: bool
) -> tuple[Tensor, ContextState]:
    """The VACE context of one chunk, and the streams to continue with.

    control: `[B, 3, F, H, W]` in -1..1. mask: `[B, 1, F, H, W]` in 0..1, 1 = generate, or None: generate everything
    (structural control). first: the chunk starts the stream, so F = 1 + 4 (f - 1) frames instead of 4 f.

    With a mask the reactive stream keeps no history (what was generated inside the hole last chunk must not ghost
    into this one) but stays aligned in time; it starts afresh when the mask goes away.
    """
    inactive_pixels, reactive_pixels = torch.zeros_like(control), control
    if mask is not None:
        generate = mask > 0.5
        inactive_pixels = control.masked_fill(generate, 0.0)
        reactive_pixels = control.masked_fill(~generate, 0.0)

    def encode(pixels: Tensor, stream: CodecState | None) -> tuple[Tensor, CodecState]:
        # A blank state may be primed with the stream's first frame, so each stream makes its own.
        return codec.encode(pixels, stream if stream is not None or first else codec.blank_state(pixels))

    inactive, inactive_state = encode(inactive_pixels, state.inactive)
    reactive, reactive_state = encode(reactive_pixels, state.reactive if mask is None else None)
    batch, _, frames, height, width = inactive.shape
    if mask is None:
        packed = inactive.new_ones((batch, MASK_CELL * MASK_CELL, frames, height, width))
    else:
        packed = pack_mask(mask.to(inactive.dtype), frames, height, width)
    context = torch.cat((inactive, reactive, packed), dim=1)
    return context, ContextState(inactive_state, reactive_state if mask is None else None)
