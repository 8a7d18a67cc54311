"""Pictures of strengths as values of a chunk's tokens: where a regional style applies, how strong control is where."""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from streamvace.conditioning.context import nearest_frames

Region = Literal["everywhere", "mask", "outside"]
REGIONS: tuple[str, ...] = get_args(Region)
"""Where a style applies: the whole picture, where the mask generates, or where it keeps."""


def token_mask(mask: Tensor, frames: int, rows: int, columns: int) -> Tensor:
    """Mask to tokens.

    mask: `[1, 1, F, H, W]`, 0..1, soft values kept. Returns `[1, N, 1]` with N = frames x rows x columns in the
    transformer's (t, h, w) order: the mean over each token's pixels, in the frame that `pack_mask` takes too.
    """
    cells = mask[:, 0, nearest_frames(mask.shape[2], frames)]
    return F.interpolate(cells, size=(rows, columns), mode="area").flatten(1).unsqueeze(-1)


SCALE_ONE = 128
"""The value of a scale map that leaves the strength as it is; 255 nearly doubles it."""


def scale_tokens(scale: Tensor, frames: int, stride: int, rows: int, columns: int) -> Tensor:
    """A scale map to factors of tokens.

    scale: `[F, H, W]`, 0..255 as floats; F = 1 + stride (f - 1) or stride * f for f = `frames`.
    Returns `[1, N, 1]` in the transformer's (t, h, w) order, 0 to 255 / 128: the mean over each token's pixels and its
    own group of frames, so no frame of the map is lost (a mask is sampled instead, because VACE was trained so).
    """
    # The first latent frame of a stream stands for one pixel frame; every later one for a whole group.
    missing = frames * stride - scale.shape[0]
    whole = torch.cat((scale[:1].expand(missing, -1, -1), scale))
    groups = whole.unflatten(0, (frames, stride)).mean(dim=1).unsqueeze(0)
    return F.interpolate(groups, size=(rows, columns), mode="area").flatten(1).unsqueeze(-1) / SCALE_ONE
