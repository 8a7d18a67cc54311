"""3-D rotary position embedding (Wan2.1): time, height and width share a head's channels.

Angles are computed in float64 and stored as complex64 once per chunk; rotation is applied in fp32. Positions have no
upper limit because tables are computed from the formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

THETA = 10000.0


@dataclass(frozen=True)
class RotaryTable:
    """turn: complex64 `[tokens, 1, head_dim / 2]`, cos + i sin of each pair's angle; tokens in (t, h, w) order."""

    turn: Tensor

    def rotate(self, x: Tensor) -> Tensor:
        """Rotate `x` `[B, tokens, heads, head_dim]`; adjacent channels (2k, 2k+1) form a pair. Keeps x's dtype.

        A pair is a complex number and a rotation one product, so this takes one pass over memory instead of eight.
        """
        pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))
        return torch.view_as_real(pairs * self.turn).flatten(-2).to(x.dtype)

    def first(self, tokens: int) -> RotaryTable:
        """The table of the first tokens."""
        return RotaryTable(self.turn[:tokens])


def axis_dims(head_dim: int) -> tuple[int, int, int]:
    """Channels of (time, height, width): 128 -> (44, 42, 42), 64 -> (24, 20, 20)."""
    side = 2 * (head_dim // 6)
    return head_dim - 2 * side, side, side


def _angles(positions: Tensor, dim: int) -> Tensor:
    frequencies = THETA ** -(torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    return torch.outer(positions.double(), frequencies)


def rotary_table(
    frames: Sequence[int], height: int, width: int, head_dim: int, device: torch.device | str
) -> RotaryTable:
    """The table of a token grid.

    frames: position of each frame in time, in latent frames, in any order. height, width: tokens along each side.
    """
    dim_t, dim_h, dim_w = axis_dims(head_dim)
    count = len(frames)
    time = _angles(torch.tensor(list(frames)), dim_t).view(count, 1, 1, -1).expand(count, height, width, -1)
    rows = _angles(torch.arange(height), dim_h).view(1, height, 1, -1).expand(count, height, width, -1)
    columns = _angles(torch.arange(width), dim_w).view(1, 1, width, -1).expand(count, height, width, -1)
    angles = torch.cat((time, rows, columns), dim=-1).reshape(count * height * width, 1, -1)
    return RotaryTable(torch.complex(angles.cos().float(), angles.sin().float()).to(device))
