"""Seam easing: small differences between two chunks, or two latent frames, fade out over the frames after the seam.

A small model paints details that its inputs leave open a shade differently in each latent frame, which is visible as a
pulse. Large differences are movement or a cut and stay.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

TOLERANCE = 0.35
"""Differences of this size (in the range -1..1: 45 of 255 levels) are eased by a third, larger ones less. Measured on
the embedded model (16 clips, three seams each): the jump at seams falls from 3.1 times the in-chunk mean to 1.05; with
0.25, it fell to 1.27. At the borders of latent frames it falls from 4.8 of 255 to 2.8 (true frames: 3.0); inside them
it rises from 1.9 to 2.2 (true: 2.9). The IoU of silhouettes changes by less than 0.01."""
SOFTNESS = 9
"""Side of the window, in pixels, over which a difference is averaged, so that single pixels do not stand out."""


def ease_seam_(pixels: Tensor, before: Tensor, frames: int) -> Tensor:
    """Move the first `frames` frames of a chunk towards the last picture before it, by a decreasing share, in place.

    pixels: `[1, 3, T, H, W]` in -1..1. before: `[1, 3, H, W]`, the picture shown before them.
    """
    frames = min(frames, pixels.shape[2])
    gap = before - pixels[:, :, 0]
    own = gap.abs().amax(1, keepdim=True)
    size = torch.maximum(own, F.avg_pool2d(own, SOFTNESS, 1, SOFTNESS // 2, count_include_pad=False))
    gap *= torch.exp(-((size / TOLERANCE) ** 2))
    ramp = 1 - torch.arange(1, frames + 1, device=pixels.device, dtype=pixels.dtype) / (frames + 1)
    # In place: a copy of a chunk of frames costs a processor more than this sum.
    pixels[:, :, :frames].addcmul_(gap.unsqueeze(2), ramp.view(1, 1, -1, 1, 1)).clamp_(-1, 1)
    return pixels


def ease_chunk_(pixels: Tensor, before: Tensor | None, seam: int, latent: int) -> Tensor:
    """Ease a chunk's seam to the picture before it, and then each of its latent frames to the previous one, in place.

    pixels: `[1, 3, T, H, W]` in -1..1. before: `[1, 3, H, W]`, None at a stream's start. seam: number of frames to ease
    at the chunk's seam. latent: pixel frames of a latent frame, 0 = do not ease latent frames; a stream's first latent
    frame has one pixel frame.
    """
    if before is not None:
        ease_seam_(pixels, before, seam)
    frames = pixels.shape[2]
    if not latent or frames <= latent:
        return pixels
    for start in range(frames % latent or latent, frames, latent):
        ease_seam_(pixels[:, :, start : start + latent], pixels[:, :, start - 1], latent)
    return pixels
