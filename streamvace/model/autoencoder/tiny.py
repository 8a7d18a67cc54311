"""TinyAE: the embedded model's codec, 4x16x16, streaming, 32 latent channels.

The encoder is one linear map (a block PCA of 4 frames at half size, see embedded/train/codec.py). So it has no state,
and a grey picture encodes to exactly zero. The decoder is that map's transpose plus a small causal convolutional
network that sharpens to full size and removes most of the blocking; `join_blocks` removes the rest.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streamvace.model.autoencoder.base import CodecState, first_group

CHANNELS = 32
BLOCK = 8
"""Side of an encoder block at half size: 16 pixels of the picture."""


SIDE = 2 * BLOCK
JOIN = 4
"""Pixels on each side of a border between blocks that take part in its join."""
STEP = 8 / 127.5
"""Largest step between two blocks that is taken away: 8 levels of 255. A larger one is an outline that lies there."""


def join_blocks(pixels: Tensor) -> None:
    """Take away the steps at the borders of blocks, in place. pixels: `[..., H, W]` in -1..1, sides multiples of 16.

    A step is what the difference across a border has beyond that of its neighbours. It is spread over JOIN pixels on
    each side, so a smooth slope stays as it is.
    """
    for across in (-1, -2):
        lines = pixels.movedim(across, 0)
        last = len(lines) - SIDE

        def at(line: int, lines: Tensor = lines, last: int = last) -> Tensor:
            return lines[line : last + line : SIDE]

        step = (at(SIDE) - at(SIDE - 1)).mul_(1.5).add_(at(SIDE - 2) - at(SIDE + 1), alpha=0.5).clamp_(-STEP, STEP)
        for line in range(JOIN):
            share = (line + 1) / (2 * JOIN)
            at(SIDE - JOIN + line).add_(step, alpha=share)
            at(SIDE + JOIN - 1 - line).sub_(step, alpha=share)


class LinearBlocks(nn.Module):
    """Blocks of 4 frames x 8 x 8 half-size pixels <-> 32 latents, one matrix in each direction."""

    def __init__(self) -> None:
        super().__init__()
        features = 3 * 4 * BLOCK * BLOCK
        self.analysis = nn.Parameter(torch.zeros(CHANNELS, features))
        self.synthesis = nn.Parameter(torch.zeros(features, CHANNELS))

    def forward(self, pixels: Tensor) -> Tensor:
        """Half-size pixels `[B, 3, 4f, 8h, 8w]` -> latents `[B, 32, f, h, w]`."""
        b, c, t, height, width = pixels.shape
        x = pixels.view(b, c, t // 4, 4, height // BLOCK, BLOCK, width // BLOCK, BLOCK)
        x = x.permute(0, 2, 4, 6, 1, 3, 5, 7).flatten(4)
        return (x @ self.analysis.T).permute(0, 4, 1, 2, 3)

    def inverse(self, latents: Tensor) -> Tensor:
        """Latents `[B, 32, f, h, w]` -> half-size pixels `[B, 4f, 3, 8h, 8w]`, time before channels."""
        b, _, f, h, w = latents.shape
        x = latents.permute(0, 2, 3, 4, 1) @ self.synthesis.T
        x = x.view(b, f, h, w, 3, 4, BLOCK, BLOCK).permute(0, 1, 5, 4, 2, 6, 3, 7)
        return x.reshape(b, 4 * f, 3, h * BLOCK, w * BLOCK)


class MemBlock(nn.Module):
    """Two convolutions that read the current and the previous time step (as in TAEHV)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2 * width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, batch: int, past: Tensor | None) -> tuple[Tensor, Tensor]:
        """The result and the next past. x: `[T * B, C, h, w]`, time first. past: `[B, C, h, w]`; None at the start."""
        first = torch.zeros_like(x[:batch]) if past is None else past
        before = torch.cat((first, x[:-batch]))
        hidden = self.conv1(torch.cat((x, before), dim=1)).relu_()
        return self.conv2(hidden).add_(x).relu_(), x[-batch:]


class Grow(nn.Module):
    """Doubles height, width and frame count by 1x1 convolutions and reshapes."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.space = nn.Conv2d(width, out * 4, 1)
        self.time = nn.Conv2d(out, out * 2, 1)
        self.out = out

    def forward(self, x: Tensor, batch: int) -> Tensor:
        """`[T * B, width, h, w]` -> `[2T * B, out, 2h, 2w]`."""
        x = self.time(F.pixel_shuffle(self.space(x), 2).relu_()).relu_()
        x = x.unflatten(1, (2, self.out)).unflatten(0, (-1, batch)).transpose(1, 2).flatten(0, 2)
        # On CPUs, convolutions are up to twice as fast in channels-last order, which reshaping loses.
        return x.contiguous(memory_format=torch.channels_last)


class TinyAE(nn.Module):
    """The codec. Interface: `Autoencoder`. Sides must be multiples of 16."""

    latent_channels = CHANNELS
    temporal_stride = 4
    spatial_stride = 16

    def __init__(self, widths: tuple[int, int, int] = (96, 64, 32)) -> None:
        super().__init__()
        a, b, c = widths
        self.blocks = LinearBlocks()
        self.enter = nn.Conv2d(CHANNELS, a, 3, padding=1)
        self.mem = nn.ModuleList((MemBlock(a), MemBlock(a), MemBlock(b), MemBlock(c)))
        self.grow = nn.ModuleList((Grow(a, b), Grow(b, c)))
        self.join = nn.Conv2d(c + 12, c, 1)
        self.leave = nn.Conv2d(c, 48, 3, padding=1)
        for parameter in self.leave.parameters():
            nn.init.zeros_(parameter)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def encode(self, pixels: Tensor, state: CodecState | None = None) -> tuple[Tensor, CodecState]:
        """See Autoencoder.encode. Raises ValueError if the frames do not fill whole groups or a side does not fit."""
        if state is None:
            pixels = first_group(pixels)
        b, c, t, height, width = pixels.shape
        if t % 4 or height % 16 or width % 16:
            raise ValueError(f"cannot encode {t} frames of {width}x{height}: needs groups of 4 and multiples of 16")
        half = F.avg_pool2d(pixels.reshape(b * c, t, height, width), 2)
        return self.blocks(half.view(b, c, t, height // 2, width // 2)), []

    def blank_state(self, pixels: Tensor) -> CodecState:
        """See Autoencoder.blank_state: always empty."""
        return []

    def decode(self, latents: Tensor, state: CodecState | None = None) -> tuple[Tensor, CodecState]:
        """See Autoencoder.decode. In training mode the pixels are neither joined nor clamped."""
        batch, _, frames, _, _ = latents.shape
        past: list[Tensor | None] = list(state) if state is not None else [None] * len(self.mem)
        # Time comes first from here on, so the previous time step is one slice.
        coarse = self.blocks.inverse(latents).transpose(0, 1).flatten(0, 1)
        x = latents.permute(2, 0, 1, 3, 4).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        x = self.enter(x).relu_()
        x, p0 = self.mem[0](x, batch, past[0])
        x, p1 = self.mem[1](x, batch, past[1])
        x, p2 = self.mem[2](self.grow[0](x, batch), batch, past[2])
        x = self.grow[1](x, batch)
        x = self.join(torch.cat((x, F.pixel_unshuffle(coarse, 2)), dim=1)).relu_()
        x, p3 = self.mem[3](x, batch, past[3])
        detail = F.pixel_shuffle(self.leave(x), 4)
        out = F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False).add_(detail)
        out = out.unflatten(0, (4 * frames, batch)).permute(1, 2, 0, 3, 4)
        if not self.training:
            join_blocks(out)
            out = out.clamp_(-1, 1)
        return (out[:, :, 3:] if state is None else out), [p0, p1, p2, p3]
