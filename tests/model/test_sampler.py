"""Which denoising steps are done, and what noise they draw."""

from __future__ import annotations

import pytest
import torch

from streamvace.model.sampler import (
    StreamNoise,
    add_noise,
    draw_noise,
    flow_to_x0,
    pipeline_schedule,
    thinned,
    x0_to_flow,
)
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


SHAPE = (1, 8, 3, 64, 64)


def drawn(share: float, position: int, seed: int = 5) -> list[torch.Tensor]:
    noise = StreamNoise("cpu", share)
    noise.begin_chunk(seed, position)
    return [noise.draw(SHAPE, torch.float32) for _ in range(2)]


def alike(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one * other).mean())


def test_without_a_share_the_noise_is_what_the_originals_draw() -> None:
    generator = torch.Generator().manual_seed(5 + 6)
    for noise in drawn(0.0, 6):
        assert torch.equal(noise, draw_noise(SHAPE, generator, torch.float32))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.9])
def test_frames_of_a_stream_share_so_much_of_their_noise_and_steps_share_none(share: float) -> None:
    first, second = drawn(share, 0)
    later, _ = drawn(share, 3)
    assert float(first.square().mean()) == pytest.approx(1, abs=0.03)
    assert alike(first[:, :, 0], first[:, :, 2]) == pytest.approx(share, abs=0.03)
    assert alike(first[:, :, 0], later[:, :, 1]) == pytest.approx(share, abs=0.03)
    assert alike(first, second) == pytest.approx(0, abs=0.03)


def test_noise_is_a_function_of_seed_and_position() -> None:
    assert all(map(torch.equal, drawn(0.5, 3), drawn(0.5, 3)))
    for other in (drawn(0.5, 6), drawn(0.5, 3, seed=6)):
        assert not torch.equal(drawn(0.5, 3)[0], other[0])
    assert alike(drawn(0.9, 3)[0], drawn(0.9, 3, seed=6)[0]) == pytest.approx(0, abs=0.03)
