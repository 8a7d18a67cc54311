"""Which denoising steps are done."""

from __future__ import annotations

import pytest

from streamvace.model.sampler import pipeline_schedule, thinned
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
