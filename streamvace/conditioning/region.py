"""Masks and strength maps as one value per token: where a regional style applies, and how strong control is."""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from streamvace.conditioning.context import nearest_frames

Region = Literal["everywhere", "mask", "outside"]
REGIONS: tuple[str, ...] = get_args(Region)
"""Where a style applies: the whole picture, the generated part of the mask, or the kept part."""


def token_mask(mask: Tensor, frames: int, rows: int, columns: int) -> Tensor:
    """A mask as one value per token.

    mask: `[1, 1, F, H, W]`, 0..1; soft values are kept. Returns `[1, N, 1]` with N = frames x rows x columns in the
    transformer's (t, h, w) order: the mean over each token's pixels, in the same frames as `pack_mask`.
    """
    return _per_token(mask[:, 0, nearest_frames(mask.shape[2], frames)], rows, columns)


SCALE_ONE = 128
"""The value of a scale map for an unchanged strength; 255 nearly doubles it."""


def scale_tokens(scale: Tensor, frames: int, stride: int, rows: int, columns: int) -> Tensor:
    """A scale map as one factor per token.

    scale: `[F, H, W]`, 0..255 as floats; F = 1 + stride (f - 1) or stride * f for f = `frames`.
    Returns `[1, N, 1]` in the transformer's (t, h, w) order, 0 to 255 / 128: the mean over each token's pixels and its
    group of frames, so every frame of the map counts. (A mask is sampled instead, as in VACE's training.)
    """
    # A stream's first latent frame stands for one pixel frame, every later one for a whole group.
    missing = frames * stride - scale.shape[0]
    whole = torch.cat((scale[:1].expand(missing, -1, -1), scale))
    return _per_token(whole.unflatten(0, (frames, stride)).mean(dim=1).unsqueeze(0), rows, columns) / SCALE_ONE


def _per_token(frames: Tensor, rows: int, columns: int) -> Tensor:
    """`[1, f, H, W]` -> means over each token's pixels, `[1, N, 1]`."""
    return F.interpolate(frames, size=(rows, columns), mode="area").flatten(1).unsqueeze(-1)
