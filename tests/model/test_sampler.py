"""Which denoising steps are done."""

from __future__ import annotations

import pytest
import torch

from streamvace.model.sampler import add_noise, flow_to_x0, pipeline_schedule, thinned, x0_to_flow
from streamvace.model.specs import PIPELINES, pipeline


@pytest.mark.parametrize(
    ("steps", "kept"), [(0, (0, 1, 2, 3)), (1, (0,)), (2, (0, 3)), (3, (0, 2, 3)), (4, (0, 1, 2, 3)), (9, (0, 1, 2, 3))]
)
def test_fewer_steps_are_the_first_the_last_and_some_between(steps: int, kept: tuple[int, ...]) -> None:
    whole = pipeline_schedule(pipeline("embedded"))
    fewer = thinned(whole, steps)
    assert fewer.timesteps == tuple(whole.timesteps[i] for i in kept)
    assert fewer.sigmas == tuple(whole.sigmas[i] for i in kept)


@pytest.mark.parametrize("name", PIPELINES)
def test_any_number_of_steps_goes_down_from_pure_noise_in_every_pipeline(name: str) -> None:
    whole = pipeline_schedule(PIPELINES[name])
    for steps in range(1, len(whole.timesteps) + 1):
        fewer = thinned(whole, steps)
        assert len(fewer.timesteps) == steps
        assert fewer.timesteps[0] == whole.timesteps[0]
        assert list(fewer.sigmas) == sorted(fewer.sigmas, reverse=True)
        assert steps == 1 or fewer.timesteps[-1] == whole.timesteps[-1]


@pytest.mark.parametrize("sigma", [1.0, 0.5, 1e-3])
def test_a_flow_points_from_the_picture_to_the_noise(sigma: float) -> None:
    """x_t = (1 - sigma) x0 + sigma n and v = n - x0: each of x0 and v is had from the other and x_t."""
    x0, noise = torch.randn(2, 1, 4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    flow, x_t = noise - x0, add_noise(x0, noise, sigma)
    torch.testing.assert_close(x_t, x0 + sigma * flow)
    torch.testing.assert_close(flow_to_x0(flow, x_t, sigma), x0)
    torch.testing.assert_close(x0_to_flow(x0, x_t, sigma), flow, atol=1e-6 / sigma, rtol=0)
