"""A chunk's mask as a region of its tokens: where a regional style applies."""

from __future__ import annotations

from typing import Literal, get_args

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
