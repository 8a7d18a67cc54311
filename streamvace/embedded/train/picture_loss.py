"""What a decoded picture is compared by: pixels, changes in time, and its fine structure in Haar bands."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

_SIDE = 4
"""Side of the blocks that are split into bands: two levels of Haar."""


def _haar() -> tuple[Tensor, Tensor]:
    """The orthonormal two-level Haar transform of a 4x4 block, `[16, 16]`, and each band's level, 0 (mean) to 2."""
    root = 2**0.5
    line = torch.tensor([[1, 1, 1, 1], [1, 1, -1, -1], [root, -root, 0, 0], [0, 0, root, -root]]) / 2
    levels = torch.tensor([0, 1, 2, 2])
    bands = torch.einsum("ai,bj->abij", line, line).reshape(_SIDE**2, _SIDE**2)
    return bands, torch.maximum(levels[:, None], levels[None, :]).flatten()


_BANDS, _LEVELS = _haar()
_WEIGHTS = torch.tensor([0.9, 1.4, 1.8])[_LEVELS]
"""Fine bands are weak and would be given up first."""


def bands(pixels: Tensor, shift: int) -> Tensor:
    """Haar coefficients `[N, h, w, 16]` of blocks on a grid that is moved by `shift` pixels, of `[B, 3, T, H, W]`.

    A fixed grid would teach the decoder to put its faults on the borders of blocks.
    """
    planes = pixels.transpose(1, 2).flatten(0, 2)
    if shift:
        planes = planes[:, shift : shift - _SIDE, shift : shift - _SIDE]
    blocks = planes.unflatten(1, (-1, _SIDE)).unflatten(3, (-1, _SIDE)).transpose(2, 3).flatten(3)
    found: Tensor = blocks @ _BANDS.T.to(blocks.dtype)
    return found


def picture_loss(made: Tensor, true: Tensor, shift: int, *, fine: float, texture: float) -> Tensor:
    """How far `made` is from `true`, pixels `[B, 3, T, H, W]` in -1..1.

    shift: of the grid, 0..3. fine: weight of the finest bands; below 1 while a critic looks after them, because the
    least error there is no texture at all. texture: weight of the difference in local strength of each band, which
    asks for the right amount of texture wherever its parts are.
    """
    made, true = made.bfloat16(), true.bfloat16()
    error = made - true
    loss = 0.7 * _mean(error) + 0.9 * _mean(error.diff(dim=2))
    found, wanted = bands(made, shift), bands(true, shift)
    weights = torch.where(_LEVELS == 2, _WEIGHTS * fine, _WEIGHTS)
    loss = loss + ((found - wanted).abs().mean((0, 1, 2), dtype=torch.float32) * weights).mean()
    if texture:
        strengths = [F.avg_pool2d(each[..., 1:].abs().permute(0, 3, 1, 2), 4, 2) for each in (found, wanted)]
        loss = loss + texture * _mean(strengths[0] - strengths[1])
    return loss


def _mean(error: Tensor) -> Tensor:
    return error.abs().mean(dtype=torch.float32)
