"""Video to video keeps as much of the source as its noise scale says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from streamvace.conditioning.video_to_video import follow_motion, noisy_start
from streamvace.model.sampler import make_schedule
from streamvace.records.chunk import ChunkInput
from tests.networks import small_generator

FAMILY = make_schedule((1000, 750, 500, 250), 5.0, warp=True)


def test_a_still_source_may_be_repainted_more_than_a_moving_one() -> None:
    still = np.full((12, 16, 16, 3), 90, np.uint8)
    moving = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3), np.uint8)
    assert follow_motion(still, 3, 0.8) == pytest.approx(0.8)
    assert follow_motion(moving, 3, 0.6) == pytest.approx(0.6)


def test_the_noise_scale_moves_smoothly() -> None:
    still = np.full((12, 16, 16, 3), 90, np.uint8)
    assert follow_motion(still, 3, 0.6) == pytest.approx(0.9 * 0.8 + 0.1 * 0.6)


def test_steps_noisier_than_the_start_are_left_out() -> None:
    latents, noise = torch.ones(1, 4, 3, 2, 2), torch.zeros(1, 4, 3, 2, 2)
    start, schedule = noisy_start(latents, noise, 0.7, FAMILY, step_offset=0)
    assert schedule.timesteps == pytest.approx((700, 625))
    torch.testing.assert_close(start, torch.full_like(start, 0.3))


def test_streamdiffusionv2_claims_a_step_a_hundred_below_its_noise() -> None:
    latents = torch.zeros(1, 4, 1, 2, 2)
    _, schedule = noisy_start(latents, latents, 0.7, make_schedule((750, 250), 8.0, warp=False), step_offset=100)
    assert schedule.timesteps == pytest.approx((600, 250))


def test_hardly_any_noise_still_takes_one_step() -> None:
    latents = torch.zeros(1, 4, 1, 2, 2)
    _, schedule = noisy_start(latents, latents, 0.0, FAMILY, step_offset=0)
    assert len(schedule.timesteps) == 1


def test_the_source_shapes_the_picture_and_its_encoder_is_its_own() -> None:
    """Control and source may be given together; switching the source off and on again never breaks the stream."""
    generator, plain = small_generator(), small_generator()
    random = np.random.default_rng(1)
    frames = {
        9: random.integers(0, 256, (9, 32, 32, 3), np.uint8),
        12: random.integers(0, 256, (12, 32, 32, 3), np.uint8),
    }
    first = generator.step(ChunkInput("red", source=frames[9], noise_scale=0.5))
    assert (first.frames != plain.step(ChunkInput("red")).frames).any()
    for source, control in ((True, True), (False, True), (True, False)):
        chunk = generator.step(
            ChunkInput("red", source=frames[12] if source else None, control=frames[12] if control else None)
        )
        assert chunk.frames.shape == (12, 32, 32, 3)


def test_a_source_of_the_wrong_length_is_refused_with_both_shapes() -> None:
    with pytest.raises(ValueError, match=r"source is uint8 \[12, .*takes uint8 \[9, "):
        small_generator().step(ChunkInput("red", source=np.zeros((12, 32, 32, 3), np.uint8)))
