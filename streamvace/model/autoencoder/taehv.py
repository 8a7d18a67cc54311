"""TAEHV, the tiny autoencoder for Wan latents (madebyollin/taehv): causal, exact in streaming, with external state.

Weights: taew2_1 (Wan's normalised latents) and lighttaew2_1 (raw latents). Module indices are those of the published
checkpoints.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streamvace.model.autoencoder.base import CodecState, first_group
from streamvace.model.autoencoder.stats import denormalised, normalised


class MemBlock(nn.Module):
    """A residual block that also reads its own input of the previous time step."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.conv = nn.Sequential(
            nn.Conv2d(channels * 2, channels, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor, past: Tensor) -> Tensor:
        """x, past: `[N, C, H, W]`."""
        return F.relu(self.conv(torch.cat((x, past), 1)) + x, inplace=True)


class TPool(nn.Module):
    """Merges `stride` consecutive frames into one."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(channels * stride, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """`[N * stride, C, H, W]` -> `[N, C, H, W]`."""
        out: Tensor = self.conv(x.reshape(-1, self.stride * x.shape[1], *x.shape[2:]))
        return out


class TGrow(nn.Module):
    """Expands one frame into `stride` frames."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(channels, channels * stride, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """`[N, C, H, W]` -> `[N * stride, C, H, W]`."""
        grown: Tensor = self.conv(x)
        return grown.reshape(-1, x.shape[1], *x.shape[2:])


class SoftClamp(nn.Module):
    """Limits latents smoothly to -3..3."""

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise."""
        return torch.tanh(x / 3) * 3


def _conv(n_in: int, n_out: int, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, 3, padding=1, stride=stride, bias=bias)


def run_layers(layers: nn.Sequential, x: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
    """Run `[B, T, C, H, W]` through the layers, all time steps at once.

    state: the last input frame `[B, C, H, W]` of every MemBlock in order, or None (zeros).
    """
    batch = x.shape[0]
    x = x.flatten(0, 1)
    new_state: CodecState = []
    for layer in layers:
        if isinstance(layer, MemBlock):
            frames = x.unflatten(0, (batch, -1))
            first = state[len(new_state)] if state is not None else torch.zeros_like(frames[:, 0])
            past = torch.cat((first.unsqueeze(1), frames[:, :-1]), dim=1)
            # A view would keep the whole chunk's activations alive until the next chunk.
            new_state.append(frames[:, -1].clone())
            x = layer(x, past.flatten(0, 1))
        else:
            x = layer(x)
    return x.unflatten(0, (batch, -1)), new_state


class TAEHV(nn.Module):
    """Streaming TAEHV. Interface: `Autoencoder`."""

    latent_channels = 16
    temporal_stride = 4
    spatial_stride = 8

    def __init__(
        self,
        latents: Literal["normalised", "raw"] = "normalised",
        encoder_width: int = 64,
        decoder_widths: tuple[int, int, int, int] = (256, 128, 64, 64),
    ) -> None:
        """latents: the kind this checkpoint works on. The interface uses Wan's normalised latents in either case."""
        super().__init__()
        self._raw = latents == "raw"
        w = encoder_width
        d0, d1, d2, d3 = decoder_widths
        self.encoder = nn.Sequential(
            _conv(3, w), nn.ReLU(inplace=True),
            TPool(w, 2), _conv(w, w, stride=2, bias=False), MemBlock(w), MemBlock(w), MemBlock(w),
            TPool(w, 2), _conv(w, w, stride=2, bias=False), MemBlock(w), MemBlock(w), MemBlock(w),
            TPool(w, 1), _conv(w, w, stride=2, bias=False), MemBlock(w), MemBlock(w), MemBlock(w),
            _conv(w, self.latent_channels),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            SoftClamp(), _conv(self.latent_channels, d0), nn.ReLU(inplace=True),
            MemBlock(d0), MemBlock(d0), MemBlock(d0),
            nn.Upsample(scale_factor=2), TGrow(d0, 1), _conv(d0, d1, bias=False),
            MemBlock(d1), MemBlock(d1), MemBlock(d1),
            nn.Upsample(scale_factor=2), TGrow(d1, 2), _conv(d1, d2, bias=False),
            MemBlock(d2), MemBlock(d2), MemBlock(d2),
            nn.Upsample(scale_factor=2), TGrow(d2, 2), _conv(d2, d3, bias=False),
            nn.ReLU(inplace=True), _conv(d3, 3),
        )  # fmt: skip

    def encode_groups(self, pixels: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
        """Groups of 4 frames, no alignment: `[B, 3, 4 f, H, W]` -> `[B, 16, f, h, w]`."""
        z, state = run_layers(self.encoder, (pixels.transpose(1, 2) + 1) / 2, state)
        z = z.transpose(1, 2)
        return (normalised(z) if self._raw else z), state

    def encode(self, pixels: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
        """See Autoencoder.encode. Raises ValueError if the frames do not fill whole groups.

        A stream's first frame is repeated to fill its own group, so that groups match the decoder's frames. (Upstream
        pads at the end, which shifts control against picture by up to 3 frames.)
        """
        if state is None:
            pixels = first_group(pixels)
        if pixels.shape[2] % 4:
            raise ValueError(f"the encoder takes 1 + 4 k frames first and 4 k after, got {pixels.shape[2]}")
        return self.encode_groups(pixels, state)

    def blank_state(self, pixels: Tensor) -> CodecState:
        """See Autoencoder.blank_state: zero history."""
        batch, _, _, height, width = pixels.shape
        state: CodecState = []
        for layer in self.encoder:
            if isinstance(layer, nn.Conv2d) and layer.stride == (2, 2):
                height, width = height // 2, width // 2
            elif isinstance(layer, MemBlock):
                state.append(pixels.new_zeros((batch, layer.channels, height, width)))
        return state

    def decode(self, latents: Tensor, state: CodecState | None) -> tuple[Tensor, CodecState]:
        """See Autoencoder.decode."""
        z = denormalised(latents) if self._raw else latents
        frames, new_state = run_layers(self.decoder, z.transpose(1, 2), state)
        if state is None:
            frames = frames[:, 3:]
        return (frames.transpose(1, 2) * 2 - 1).clamp_(-1, 1), new_state
