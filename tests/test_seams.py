"""Seam easing: a shade that jumps is faded, movement and cuts are left alone."""

import torch

from streamvace.seams import ease_seam


def test_a_small_jump_of_the_whole_picture_becomes_a_slope() -> None:
    before = torch.full((1, 3, 16, 16), 0.10)
    eased = ease_seam(torch.zeros(1, 3, 12, 16, 16), before, 8)[0, 0, :, 8, 8]
    steps = torch.diff(torch.cat((before[0, 0, 8, 8:9], eased))).abs()
    assert steps.max() < 0.03
    assert eased[8:].abs().max() == 0


def test_a_cut_is_left_as_it_is() -> None:
    pixels = torch.full((1, 3, 12, 16, 16), -0.9)
    assert torch.allclose(ease_seam(pixels, torch.full((1, 3, 16, 16), 0.9), 8), pixels, atol=1e-6)


def test_a_moving_object_leaves_no_ghost() -> None:
    before, pixels = torch.full((1, 3, 64, 64), -0.8), torch.full((1, 3, 12, 64, 64), -0.8)
    before[..., 20:30, 10:20] = 0.8
    pixels[..., 20:30, 40:50] = 0.8
    assert (ease_seam(pixels, before, 8) - pixels).abs().max() < 0.02


def test_a_picture_stays_in_range_and_a_short_chunk_is_eased_as_far_as_it_goes() -> None:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(1, 3, 4, 16, 16, generator=generator) * 2 - 1
    eased = ease_seam(pixels, pixels[:, :, 0] + 0.1, 8)
    assert eased.shape == pixels.shape
    assert eased.abs().max() <= 1
