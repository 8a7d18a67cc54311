"""3-D rotary position embedding (Wan2.1): time, height and width share a head's channels.

Angles are computed in float64 and stored in fp32 once per chunk; rotation is applied in fp32. Positions need no upper
limit because tables are cut from the formula, not from a stored range.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

THETA = 10000.0


@dataclass(frozen=True)
class RotaryTable:
    """cos, sin: fp32 `[tokens, 1, head_dim / 2]`, tokens in (t, h, w) order."""

    cos: Tensor
    sin: Tensor

    def rotate(self, x: Tensor) -> Tensor:
        """Rotate `x` `[B, tokens, heads, head_dim]`; adjacent channels (2k, 2k+1) form a pair. Keeps x's dtype."""
        pairs = x.float().unflatten(-1, (-1, 2))
        real, imag = pairs[..., 0], pairs[..., 1]
        rotated = torch.stack((real * self.cos - imag * self.sin, real * self.sin + imag * self.cos), dim=-1)
        return rotated.flatten(-2).to(x.dtype)


def axis_dims(head_dim: int) -> tuple[int, int, int]:
    """Channels given to (time, height, width): 128 -> (44, 42, 42), 64 -> (24, 20, 20)."""
    side = 2 * (head_dim // 6)
    return head_dim - 2 * side, side, side


def _angles(positions: Tensor, dim: int) -> Tensor:
    frequencies = THETA ** -(torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    return torch.outer(positions.double(), frequencies)


def rotary_table(
    frames: Sequence[int], height: int, width: int, head_dim: int, device: torch.device | str
) -> RotaryTable:
    """The table of a grid of tokens.

    frames: the position in time of each frame, in latent frames, in any order. height, width: tokens a side.
    """
    dim_t, dim_h, dim_w = axis_dims(head_dim)
    count = len(frames)
    time = _angles(torch.tensor(list(frames)), dim_t).view(count, 1, 1, -1).expand(count, height, width, -1)
    rows = _angles(torch.arange(height), dim_h).view(1, height, 1, -1).expand(count, height, width, -1)
    columns = _angles(torch.arange(width), dim_w).view(1, 1, width, -1).expand(count, height, width, -1)
    angles = torch.cat((time, rows, columns), dim=-1).reshape(count * height * width, 1, -1)
    return RotaryTable(angles.cos().float().to(device), angles.sin().float().to(device))
