"""The layers of the Wan2.1 VAE: causal in time, with their history kept on a tape outside the modules.

Parameter names are the published ones. Activations are `[B, C, T, H, W]`.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streamvace.model.autoencoder.base import CodecState


class Tape:
    """The state during one call. Each layer reads the frames it left in the previous call and leaves new ones.

    first: the stream starts with this call. left: the state after the call, in execution order.
    """

    def __init__(self, state: CodecState | None) -> None:
        self.first = state is None
        self._found = iter(state or ())
        self.left: CodecState = []

    def extend(self, x: Tensor, frames: int) -> Tensor:
        """`x` preceded by the layer's `frames` previous input frames, or zeros at the stream's start."""
        batch, channels, _, height, width = x.shape
        past = x.new_zeros((batch, channels, frames, height, width)) if self.first else next(self._found)
        joined = torch.cat((past, x), dim=2)
        self.leave(joined, frames)
        return joined

    def leave(self, x: Tensor, frames: int) -> None:
        """Leave the last `frames` of `x` for the layer's next call."""
        # A view would keep the whole chunk's activations alive until the next chunk.
        self.left.append(x[:, :, -frames:].clone())


class ChannelNorm(nn.Module):
    """L2 norm over the channels with a learned gain (Wan's `RMS_norm`)."""

    def __init__(self, channels: int, axes: int) -> None:
        """axes: 2 for pictures `[N, C, H, W]`, 3 for clips; only the shape of `gamma` differs."""
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels, *(1,) * axes))

    def forward(self, x: Tensor) -> Tensor:
        """Any `[N, C, ...]`, same shape out."""
        # In fp16 the usual 1e-12 is zero, and a black picture has all-zero columns.
        eps = max(1e-12, torch.finfo(x.dtype).tiny)
        normed: Tensor = F.normalize(x, dim=1, eps=eps) * (self.gamma * x.shape[1] ** 0.5)
        return normed


class CausalConv3d(nn.Conv3d):
    """A convolution that is causal in time; previous frames come from the tape."""

    def __init__(self, n_in: int, n_out: int, kernel: int) -> None:
        """kernel: 3 (keeps two frames) or 1 (keeps none)."""
        super().__init__(n_in, n_out, kernel, padding=(0, kernel // 2, kernel // 2))

    def run(self, x: Tensor, tape: Tape) -> Tensor:
        """`[B, n_in, T, H, W]` -> `[B, n_out, T, H, W]`."""
        back = self.kernel_size[0] - 1
        out: Tensor = self(tape.extend(x, back) if back else x)
        return out


class ResidualBlock(nn.Module):
    """Two normed causal convolutions beside a shortcut."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        # Dropout is inactive; it preserves the published index of the second convolution.
        self.residual = nn.Sequential(
            ChannelNorm(n_in, 3), nn.SiLU(), CausalConv3d(n_in, n_out, 3),
            ChannelNorm(n_out, 3), nn.SiLU(), nn.Dropout(0.0), CausalConv3d(n_out, n_out, 3),
        )  # fmt: skip
        self.shortcut = CausalConv3d(n_in, n_out, 1) if n_in != n_out else nn.Identity()

    def run(self, x: Tensor, tape: Tape) -> Tensor:
        """`[B, n_in, T, H, W]` -> `[B, n_out, T, H, W]`."""
        h = x
        for layer in self.residual:
            h = layer.run(h, tape) if isinstance(layer, CausalConv3d) else layer(h)
        short: Tensor = self.shortcut(x)
        return h + short


class FrameAttention(nn.Module):
    """Single-head attention over the cells of each frame alone."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels, 2)
        self.to_qkv = nn.Conv2d(channels, channels * 3, 1)
        self.proj = nn.Conv2d(channels, channels, 1)

    def run(self, x: Tensor, tape: Tape) -> Tensor:
        """`[B, C, T, H, W]`, same shape out; without history."""
        batch, _, _, height, width = x.shape
        frames = x.transpose(1, 2).flatten(0, 1)
        q, k, v = self.to_qkv(self.norm(frames)).flatten(2).transpose(1, 2).unsqueeze(1).chunk(3, dim=-1)
        attended = F.scaled_dot_product_attention(q, k, v).squeeze(1).transpose(1, 2)
        out: Tensor = self.proj(attended.unflatten(2, (height, width))).unflatten(0, (batch, -1))
        return x + out.transpose(1, 2)


class Downsample(nn.Module):
    """Half the height and width and, with `temporal`, half the frames after a stream's first."""

    def __init__(self, channels: int, temporal: bool) -> None:
        super().__init__()
        self.resample = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(channels, channels, 3, stride=2))
        self.time_conv = nn.Conv3d(channels, channels, (3, 1, 1), stride=(2, 1, 1)) if temporal else None

    def run(self, x: Tensor, tape: Tape) -> Tensor:
        """`[B, C, T, H, W]` -> `[B, C, T', H / 2, W / 2]`, T' = 1 + (T - 1) / 2 at the start and T / 2 later."""
        x = _per_frame(self.resample, x)
        if self.time_conv is None:
            return x
        if not tape.first:
            out: Tensor = self.time_conv(tape.extend(x, 1))
            return out
        # The first frame bypasses the convolution and is its history for later frames.
        tape.leave(x, 1)
        first = x[:, :, :1]
        return torch.cat((first, self.time_conv(x)), dim=2) if x.shape[2] > 1 else first


class Upsample(nn.Module):
    """Twice the height and width at half the channels and, with `temporal`, twice the frames after the first."""

    def __init__(self, channels: int, temporal: bool) -> None:
        super().__init__()
        self.resample = nn.Sequential(
            nn.Upsample(scale_factor=2.0, mode="nearest-exact"), nn.Conv2d(channels, channels // 2, 3, padding=1)
        )
        self.time_conv = nn.Conv3d(channels, channels * 2, (3, 1, 1)) if temporal else None

    def run(self, x: Tensor, tape: Tape) -> Tensor:
        """`[B, C, T, H, W]` -> `[B, C / 2, T', 2 H, 2 W]`, T' = 1 + 2 (T - 1) at the start and 2 T later."""
        return _per_frame(self.resample, x if self.time_conv is None else self._grow(self.time_conv, x, tape))

    def _grow(self, time_conv: nn.Conv3d, x: Tensor, tape: Tape) -> Tensor:
        if not tape.first:
            return _interleave(time_conv(tape.extend(x, 2)))
        # The first frame stays a single frame and, as published, is not part of the history of later ones.
        first, rest = x[:, :, :1], x[:, :, 1:]
        joined = tape.extend(rest, 2)
        return torch.cat((first, _interleave(time_conv(joined))), dim=2) if rest.shape[2] else first


def _per_frame(layers: nn.Sequential, x: Tensor) -> Tensor:
    """Two-dimensional layers on each frame of `[B, C, T, H, W]`."""
    out: Tensor = layers(x.transpose(1, 2).flatten(0, 1)).unflatten(0, (x.shape[0], -1))
    return out.transpose(1, 2)


def _interleave(x: Tensor) -> Tensor:
    """`[B, 2 C, T, H, W]` -> `[B, C, 2 T, H, W]`: each frame's two halves one after the other."""
    halves: Tensor = x.unflatten(1, (2, -1))
    return halves.permute(0, 2, 3, 1, 4, 5).flatten(2, 3)
