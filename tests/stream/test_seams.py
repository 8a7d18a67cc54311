"""Seam easing: small jumps in shade fade out, movement and cuts stay."""

import torch

from streamvace.stream.seams import ease_chunk_, ease_seam_


def test_a_small_jump_of_the_whole_picture_becomes_a_slope() -> None:
    before = torch.full((1, 3, 16, 16), 0.10)
    eased = ease_seam_(torch.zeros(1, 3, 12, 16, 16), before, 8)[0, 0, :, 8, 8]
    steps = torch.diff(torch.cat((before[0, 0, 8, 8:9], eased))).abs()
    assert steps.max() < 0.03
    assert eased[8:].abs().max() == 0


def test_a_cut_is_left_as_it_is() -> None:
    pixels = torch.full((1, 3, 12, 16, 16), -0.9)
    assert torch.allclose(ease_seam_(pixels.clone(), torch.full((1, 3, 16, 16), 0.9), 8), pixels, atol=1e-6)


def test_a_moving_object_leaves_no_ghost() -> None:
    before, pixels = torch.full((1, 3, 64, 64), -0.8), torch.full((1, 3, 12, 64, 64), -0.8)
    before[..., 20:30, 10:20] = 0.8
    pixels[..., 20:30, 40:50] = 0.8
    assert (ease_seam_(pixels.clone(), before, 8) - pixels).abs().max() < 0.02


def test_a_picture_stays_in_range_and_a_short_chunk_is_eased_over_its_length() -> None:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.rand(1, 3, 4, 16, 16, generator=generator) * 2 - 1
    eased = ease_seam_(pixels.clone(), pixels[:, :, 0] + 0.1, 8)
    assert eased.shape == pixels.shape
    assert eased.abs().max() <= 1


def stairs(frames: int, height: float) -> torch.Tensor:
    """A picture that is constant within each four frames and jumps by `height` between them."""
    levels = torch.arange(-(-frames // 4)).repeat_interleave(4)[:frames] * height
    return levels.view(1, 1, -1, 1, 1).expand(1, 3, frames, 16, 16).clone()


def test_small_steps_between_latent_frames_become_slopes() -> None:
    steps = stairs(12, 0.04)
    eased = ease_chunk_(steps.clone(), steps[:, :, 0], 12, 4).diff(dim=2).abs()
    assert eased.max() < 0.5 * steps.diff(dim=2).abs().max()
    assert eased[:, :, 4:].min() > 0


def test_large_steps_between_latent_frames_are_movement_and_stay() -> None:
    steps = stairs(12, 0.9) - 0.9
    assert torch.allclose(ease_chunk_(steps.clone(), steps[:, :, 0], 12, 4), steps, atol=1e-3)


def test_the_first_latent_frame_of_a_stream_has_one_picture_and_stays() -> None:
    steps = torch.cat((torch.full((1, 3, 1, 16, 16), -0.04), stairs(8, 0.04)), 2)
    eased = ease_chunk_(steps.clone(), None, 12, 4)
    assert torch.equal(eased[:, :, :1], steps[:, :, :1])
    # The jump to frame 1 and the one to frame 5 are both spread.
    changes = eased.diff(dim=2).abs().amax((0, 1, 3, 4))
    assert changes.max() < 0.5 * 0.04


def test_without_latent_easing_only_the_seam_is_eased() -> None:
    steps = stairs(12, 0.04)
    before = steps[:, :, 0] - 0.04
    assert torch.equal(ease_chunk_(steps.clone(), before, 8, 0), ease_seam_(steps.clone(), before, 8))
