"""Video to video: start a chunk from the source's own latents instead of from pure noise (StreamDiffusionV2)."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from streamvace.model.sampler import Schedule, add_noise, schedule_of
from streamvace.records.chunk import Pixels

FULL_MOTION = 0.2
"""Frame difference (RMS, pictures in -1..1) at which a scene counts as moving as fast as it can."""
STILL_SCALE, MOVING_DROP, SMOOTHING = 0.8, 0.2, 0.9
"""A still scene may be repainted freely (0.8), a fast one must keep more of its structure (0.6); 0.9 of a change is
taken at once."""


def follow_motion(source: Pixels, latents: int, previous: float) -> float:
    """The noise scale that a source's motion allows.

    source: uint8 `[F, H, W, 3]`. latents: latent frames a chunk; the motion of as many newest frames counts.
    previous: the noise scale of the chunk before. Returns 0..1.
    """
    recent = source[-latents - 1 :, ::4, ::4].astype(np.float32) / 127.5  # every 4th pixel: motion, not detail
    difference = np.sqrt(np.square(np.diff(recent, axis=0)).mean(axis=(1, 2, 3)))
    motion = min(float(difference.max(initial=0.0)) / FULL_MOTION, 1.0)
    return SMOOTHING * (STILL_SCALE - MOVING_DROP * motion) + (1 - SMOOTHING) * previous


def noisy_start(
    latents: Tensor, noise: Tensor, noise_scale: float, schedule: Schedule, step_offset: int
) -> tuple[Tensor, Schedule]:
    """The latents that denoising starts from, and the steps that are left to do.

    latents, noise: `[B, C, T, h, w]`. noise_scale: 0..1, share of noise. step_offset: how much lower than the noise the
    first timestep claims to be (StreamDiffusionV2 was tuned with 100).
    """
    sigma = max(noise_scale - step_offset / 1000, schedule.sigmas[-1])
    later = [t for t, s in zip(schedule.timesteps, schedule.sigmas, strict=True) if s < sigma]
    return add_noise(latents, noise, noise_scale), schedule_of([1000 * sigma, *later], schedule.shift)
