"""Few-step flow matching (Self-Forcing family) with Wan2.1's flow-match schedule.

x_t = (1 - sigma) x0 + sigma noise; the flow is v = noise - x0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from streamvace.model.device import exact_dtype
from streamvace.model.specs import PipelineSpec

TABLE_STEPS = 1000
"""Entries of the training schedule; timesteps run from 1000 (pure noise) down."""


def sigma_table(shift: float) -> Tensor:
    """Sigmas of the training schedule, fp32 `[1000]`, descending from 1: s' = shift s / (1 + (shift - 1) s)."""
    sigma = torch.linspace(1.0, 0.0, TABLE_STEPS + 1)[:-1]
    return shift * sigma / (1 + (shift - 1) * sigma)


def sigma_of(t: Tensor, table: Tensor) -> Tensor:
    """Sigma of the table's timestep nearest to each t. `[...]` -> fp32 `[...]`. t = 0 maps to the last entry."""
    timesteps = table * TABLE_STEPS
    return table[(timesteps - t.float().unsqueeze(-1)).abs().argmin(dim=-1)]


def warp_steps(steps: Sequence[float], table: Tensor) -> list[float]:
    """Timesteps of the shifted table, with 0 appended, at the given steps: as the original models were trained."""
    timesteps = torch.cat((table * TABLE_STEPS, torch.zeros(1)))
    return [float(timesteps[TABLE_STEPS - int(step)]) for step in steps]


def add_noise(x0: Tensor, noise: Tensor, sigma: float | Tensor) -> Tensor:
    """x_t of a clean latent, in the noise's dtype."""
    return ((1 - sigma) * x0 + sigma * noise).to(noise.dtype)


def flow_to_x0(flow: Tensor, x_t: Tensor, sigma: float | Tensor) -> Tensor:
    """x0 = x_t - sigma v, in float64 because the difference cancels at small sigma."""
    exact = exact_dtype(x_t.device)
    return (x_t.to(exact) - sigma * flow.to(exact)).to(x_t.dtype)


def x0_to_flow(x0: Tensor, x_t: Tensor, sigma: float | Tensor) -> Tensor:
    """v = (x_t - x0) / sigma, in float64; sigma > 0."""
    exact = exact_dtype(x_t.device)
    return ((x_t.to(exact) - x0.to(exact)) / sigma).to(x_t.dtype)


@dataclass(frozen=True)
class Schedule:
    """Denoising steps, noisiest first: timesteps, 0..1000, and their sigmas in the table of `shift`."""

    timesteps: tuple[float, ...]
    sigmas: tuple[float, ...]
    shift: float


def schedule_of(timesteps: Sequence[float], shift: float) -> Schedule:
    """The schedule of these timesteps, with the sigmas of the table of `shift`."""
    return Schedule(tuple(timesteps), tuple(sigma_of(torch.tensor(timesteps), sigma_table(shift)).tolist()), shift)


def make_schedule(steps: Sequence[float], shift: float, warp: bool) -> Schedule:
    """Timesteps and sigmas of a step list, warped or not."""
    return schedule_of(warp_steps(steps, sigma_table(shift)) if warp else [float(step) for step in steps], shift)


def pipeline_schedule(spec: PipelineSpec) -> Schedule:
    """The schedule of a row of the pipeline table."""
    return make_schedule(spec.steps, spec.shift, spec.warp)


def thinned(schedule: Schedule, steps: int) -> Schedule:
    """A schedule of fewer steps, all of them trained: the first, the last and evenly spaced ones between.

    steps: 0, or at least as many as there are, returns the schedule unchanged; 1 keeps only the first.
    """
    count = len(schedule.timesteps)
    if not 0 < steps < count:
        return schedule
    kept = [round(step * (count - 1) / max(steps - 1, 1)) for step in range(steps)]
    return schedule_of([schedule.timesteps[i] for i in kept], schedule.shift)


def denoise(
    start: Tensor,
    schedule: Schedule,
    predict_x0: Callable[[Tensor, float, float], Tensor],
    fresh: Sequence[Tensor],
) -> Tensor:
    """Few-step sampling: predict x0, renoise to the next sigma with fresh noise, repeat; the last x0 is the result.

    start: `[B, C, T, H, W]`. predict_x0(x_t, timestep, sigma) -> x0. fresh: noise of every step after the first.
    """
    x = start
    for step, (timestep, sigma) in enumerate(zip(schedule.timesteps, schedule.sigmas, strict=True)):
        if step:
            x = add_noise(x, fresh[step - 1], sigma)
        x = predict_x0(x, timestep, sigma)
    return x
