"""The Wan2.1 VAE (Wan2.1_VAE, 96 channels wide) and its light version (lightvaew2_1, 24 wide), as streaming codecs.

A stream's state is a list of the last input frames of every layer that looks back in time, in execution order. The
modules hold only weights, so any number of streams can share one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from streamvace.model.autoencoder.base import CodecState
from streamvace.model.autoencoder.stats import denormalised, normalised
from streamvace.model.autoencoder.wan_vae_layers import (
    CausalConv3d,
    ChannelNorm,
    Downsample,
    FrameAttention,
    ResidualBlock,
    Tape,
    Upsample,
)

FULL_WIDTH = 96
LIGHT_WIDTH = 24
"""lightvaew2_1: the same graph, every channel count times 0.25."""

Z = 16
Layer = ResidualBlock | FrameAttention | Downsample | Upsample


class _Half(nn.Module, ABC):
    """The common part of encoder and decoder: conv1, layers, head. Subclasses use the published parameter names."""

    conv1: CausalConv3d
    head: nn.Sequential

    @abstractmethod
    def layers(self) -> list[Layer]:
        """Everything between conv1 and head, in order."""

    def run(self, x: Tensor, tape: Tape) -> Tensor:
        """`[B, C, T, H, W]` through all layers."""
        x = self.conv1.run(x, tape)
        for block in self.layers():
            x = block.run(x, tape)
        *before, last = self.head
        for layer in before:
            x = layer(x)
        assert isinstance(last, CausalConv3d)
        return last.run(x, tape)


def _middle(width: int) -> nn.Sequential:
    return nn.Sequential(ResidualBlock(width, width), FrameAttention(width), ResidualBlock(width, width))


def _head(width: int, out: int) -> nn.Sequential:
    return nn.Sequential(ChannelNorm(width, 3), nn.SiLU(), CausalConv3d(width, out, 3))


class Encoder(_Half):
    """Pixels to the moments of the latents, downsampled 8 times in space and 4 times in time."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = CausalConv3d(3, width, 3)
        stack: list[Layer] = []
        # Channels of each level, and its downsampling: False in space, True in space and time, None without.
        n_in = width
        for n_out, temporal in ((width, False), (width * 2, True), (width * 4, True), (width * 4, None)):
            stack += [ResidualBlock(n_in, n_out), ResidualBlock(n_out, n_out)]
            if temporal is not None:
                stack.append(Downsample(n_out, temporal))
            n_in = n_out
        self.downsamples = nn.Sequential(*stack)
        self.middle = _middle(n_in)
        self.head = _head(n_in, Z * 2)

    def layers(self) -> list[Layer]:
        """See _Half.layers."""
        return [*self.downsamples, *self.middle]


class Decoder(_Half):
    """Latents to pixels."""

    def __init__(self, width: int) -> None:
        super().__init__()
        n_in = width * 4
        self.conv1 = CausalConv3d(Z, n_in, 3)
        self.middle = _middle(n_in)
        stack: list[Layer] = []
        for n_out, temporal in ((width * 4, True), (width * 4, True), (width * 2, False), (width, None)):
            stack += [ResidualBlock(n_in, n_out), ResidualBlock(n_out, n_out), ResidualBlock(n_out, n_out)]
            n_in = n_out
            if temporal is not None:
                stack.append(Upsample(n_out, temporal))
                n_in = n_out // 2
        self.upsamples = nn.Sequential(*stack)
        self.head = _head(width, 3)

    def layers(self) -> list[Layer]:
        """See _Half.layers."""
        return [*self.middle, *self.upsamples]


class WanVAE(nn.Module):
    """Streaming Wan2.1 VAE. Interface: `Autoencoder`; the latents are normalised."""

    latent_channels = Z
    temporal_stride = 4
    spatial_stride = 8

    def __init__(self, width: int = FULL_WIDTH, latents_at_once: int = 1) -> None:
        """width: FULL_WIDTH or LIGHT_WIDTH for the published files.

        latents_at_once: latent frames per pass, at least 1. It does not change the result; memory grows in proportion
        (at full width and 832x480, about 0.3 GB per latent frame and activation in 16 bit).
        """
        super().__init__()
        if latents_at_once < 1:
            raise ValueError(f"latents_at_once is {latents_at_once}, it must be at least 1")
        self._group = latents_at_once
        self.encoder = Encoder(width)
        self.conv1 = CausalConv3d(Z * 2, Z * 2, 1)
        self.conv2 = CausalConv3d(Z, Z, 1)
        self.decoder = Decoder(width)

    def encode(self, pixels: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
        """See Autoencoder.encode. Raises ValueError if the frames do not fill whole groups or a side does not fit."""
        frames, height, width = pixels.shape[2:]
        if (frames % 4 if state is not None else (frames + 3) % 4) or frames < 1:
            raise ValueError(f"the encoder takes 1 + 4 k frames first and 4 k after, got {frames}")
        if height % 8 or width % 8:
            raise ValueError(f"cannot encode {width}x{height}: both sides must be multiples of 8")
        done: list[Tensor] = []
        at = 0
        while at < frames:
            count = 4 * self._group - (3 if state is None else 0)
            z, state = self.encode_pass(pixels[:, :, at : at + count], state)
            done.append(z)
            at += count
        assert state is not None
        return torch.cat(done, dim=2), state

    def encode_pass(self, pixels: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
        """Encode any number of frames in one pass; frames that do not fill a group only change the state."""
        tape = Tape(state)
        z = self.conv1(self.encoder.run(pixels, tape))[:, :Z]
        return normalised(z), tape.left

    def blank_state(self, pixels: Tensor) -> CodecState:
        """See Autoencoder.blank_state.

        The state is that of a stream whose only frame so far is the first frame of `pixels`. So `pixels` fill groups of
        four, and their first latent sees no foreign past.
        """
        return self.encode_pass(pixels[:, :, :1], None)[1]

    def decode(self, latents: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
        """See Autoencoder.decode."""
        z = self.conv2(denormalised(latents))
        done: list[Tensor] = []
        for group in z.split(self._group, dim=2):
            tape = Tape(state)
            done.append(self.decoder.run(group, tape).clamp_(-1, 1))
            state = tape.left
        assert state is not None
        return torch.cat(done, dim=2), state
