"""Frames to tensors and back: uint8 sRGB pictures on the host, -1..1 on the device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from streamvace.records.chunk import Pixels


@dataclass(frozen=True)
class Canvas:
    """The picture of a stream and where it is computed.

    width, height: in pixels. rows, columns: the token grid of a latent frame. device, dtype: of the networks.
    """

    width: int
    height: int
    rows: int
    columns: int
    device: torch.device
    dtype: torch.dtype


def to_pixels(frames: Pixels, device: torch.device, dtype: torch.dtype) -> Tensor:
    """uint8 `[F, H, W, 3]` -> `[1, 3, F, H, W]` in -1..1."""
    tensor = torch.from_numpy(np.ascontiguousarray(frames)).to(device)
    return tensor.permute(3, 0, 1, 2).unsqueeze(0).to(dtype) / 127.5 - 1


def to_mask(mask: Pixels, device: torch.device, dtype: torch.dtype) -> Tensor:
    """uint8 `[F, H, W]` -> `[1, 1, F, H, W]` in 0..1."""
    return torch.from_numpy(np.ascontiguousarray(mask)).to(device)[None, None].to(dtype) / 255


def to_frames(pixels: Tensor) -> Pixels:
    """`[1, 3, F, H, W]` in -1..1 -> uint8 `[F, H, W, 3]`; the one transfer (and synchronisation) of a step.

    Raises FloatingPointError when a value is not finite.
    """
    finite = torch.isfinite(pixels).all()
    scaled = pixels[0].float().add(1).mul(127.5).round_().clamp_(0, 255).to(torch.uint8)
    frames: Pixels = scaled.permute(1, 2, 3, 0).contiguous().cpu().numpy()
    if not finite:
        raise FloatingPointError("the chunk is not finite (NaN or infinity)")
    return frames
