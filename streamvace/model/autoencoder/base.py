"""The interface of autoencoders: streaming encoder and decoder, with the state passed in and returned."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

CodecState = list[Tensor]
"""Opaque state of one stream in one direction. None in its place starts a stream."""


class Autoencoder(Protocol):
    """Pixels `[B, 3, T, H, W]` in -1..1 to latents `[B, z, f, h, w]` and back, chunk by chunk.

    Latent frame 0 of a stream stands for one pixel frame, every later one for `temporal_stride` of them. The result
    does not depend on the chunking.
    """

    latent_channels: int
    temporal_stride: int
    spatial_stride: int

    def encode(self, pixels: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
        """Latents, and the state after them. state None: T = 1 + 4 (f - 1) frames start a stream; else T = 4 f."""

    def blank_state(self, pixels: Tensor) -> CodecState:
        """An encoder state without history but aligned as in mid-stream, to encode pixels `[B, 3, T, H, W]` with."""

    def decode(self, latents: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
        """Pixels, and the state after them. state None: f latents start a stream, T = 1 + 4 (f - 1); else T = 4 f."""


def first_group(pixels: Tensor) -> Tensor:
    """The pixels of a stream's start with the first frame repeated, so that it fills a group of 4 by itself."""
    return torch.cat((pixels[:, :, :1].expand(-1, -1, 3, -1, -1), pixels), dim=2)
