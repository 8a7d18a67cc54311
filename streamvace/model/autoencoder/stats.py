"""Per-channel statistics of the Wan2.1 VAE's raw latents; the transformer works on (raw - mean) / std."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

LATENT_MEAN = (
    -0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508,
    0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921,
)  # fmt: skip
LATENT_STD = (
    2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743,
    3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160,
)  # fmt: skip


@lru_cache(maxsize=8)
def _statistics(device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Mean and std `[16, 1, 1, 1]`, created once per device so that no step waits for a transfer."""
    mean, std = (
        torch.tensor(values, device=device, dtype=dtype).view(-1, 1, 1, 1) for values in (LATENT_MEAN, LATENT_STD)
    )
    return mean, std


def normalised(raw: Tensor) -> Tensor:
    """Raw latents `[B, 16, f, h, w]` -> normalised."""
    mean, std = _statistics(raw.device, raw.dtype)
    return (raw - mean) / std


def denormalised(latents: Tensor) -> Tensor:
    """Normalised latents `[B, 16, f, h, w]` -> raw."""
    mean, std = _statistics(latents.device, latents.dtype)
    return latents * std + mean
