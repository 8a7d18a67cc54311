"""What every autoencoder offers: streaming both ways, its state passed in and returned."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

CodecState = list[Tensor]
"""Opaque to everyone but the codec that made it. None in its place means: the stream starts here."""


class Autoencoder(Protocol):
    """Pixels `[B, 3, T, H, W]` in -1..1 to latents `[B, z, f, h, w]` and back, chunk by chunk.

    Latent frame 0 of a stream stands for one pixel frame, every later one for `temporal_stride` of them. Any chunking
    gives the same result as the whole clip.
    """

    latent_channels: int
    temporal_stride: int
    spatial_stride: int

    def encode(self, pixels: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
        """state None: T = 1 + 4 (f - 1) frames start a stream; otherwise T = 4 f frames continue it."""

    def blank_state(self, pixels: Tensor) -> CodecState:
        """An encoder state that carries no history but is aligned as in mid-stream, for pixels `[B, 3, T, H, W]`."""

    def decode(self, latents: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
        """state None: f latents start a stream and give 1 + 4 (f - 1) frames; otherwise 4 f frames continue it."""
