"""Conversion between frames and tensors: uint8 sRGB on the host, -1..1 on the device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from streamvace.model.device import to_device
from streamvace.records.chunk import Pixels


@dataclass(frozen=True)
class Canvas:
    """Geometry of a stream, and device and dtype of its networks.

    width, height: in pixels. rows, columns: the token grid of a latent frame.
    """

    width: int
    height: int
    rows: int
    columns: int
    device: torch.device
    dtype: torch.dtype


def to_pixels(frames: Pixels, device: torch.device, dtype: torch.dtype) -> Tensor:
    """uint8 `[F, H, W, 3]` -> `[1, 3, F, H, W]` in -1..1."""
    tensor = to_device(torch.from_numpy(np.ascontiguousarray(frames)), device)
    planes = tensor.permute(3, 0, 1, 2).unsqueeze(0)
    return planes.to(dtype, memory_format=torch.contiguous_format).div_(127.5).sub_(1)


def to_mask(mask: Pixels, device: torch.device, dtype: torch.dtype) -> Tensor:
    """uint8 `[F, H, W]` -> `[1, 1, F, H, W]` in 0..1."""
    return to_device(torch.from_numpy(np.ascontiguousarray(mask)), device)[None, None].to(dtype) / 255


def to_frames(pixels: Tensor) -> Pixels:
    """`[1, 3, F, H, W]` in -1..1 -> uint8 `[F, H, W, 3]`.

    Raises FloatingPointError if a value is not finite.
    """
    return unpacked(packed(pixels).cpu(), pixels)


def packed(pixels: Tensor) -> Tensor:
    """`[1, 3, F, H, W]` in -1..1 -> uint8 `[F * H * W * 3 + 1]` on the same device.

    Pictures, and as the last number whether a value is not finite: one transfer to the host brings both.
    """
    broken = torch.isfinite(pixels).all().logical_not()
    scaled = pixels[0].float().add(1).mul_(127.5).round_().clamp_(0, 255).permute(1, 2, 3, 0)
    both = torch.empty(scaled.numel() + 1, dtype=torch.uint8, device=scaled.device)
    both[:-1].view(scaled.shape).copy_(scaled)
    both[-1] = broken
    return both


def unpacked(host: Tensor, pixels: Tensor) -> Pixels:
    """The frames `[F, H, W, 3]` of `packed(pixels)` on the host.

    Raises FloatingPointError if a value is not finite.
    """
    got = host.numpy()
    _, channels, count, height, width = pixels.shape
    if got[-1]:
        raise FloatingPointError("the chunk is not finite (NaN or infinity)")
    frames: Pixels = got[:-1].reshape(count, height, width, channels)
    return frames
