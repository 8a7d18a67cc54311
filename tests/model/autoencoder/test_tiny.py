"""No block of the embedded model's codec is seen as a block."""

from __future__ import annotations

import pytest
import torch

from streamvace.model.autoencoder.tiny import SIDE, STEP, TinyAE, join_blocks

LEVEL = 1 / 127.5
"""A level of 255, in -1..1."""


def blocks(height: int, width: int, step: float, seed: int = 0) -> torch.Tensor:
    """Blocks of one colour each, which differ by at most `step`: `[2, 3, height, width]`."""
    drawn = torch.rand(2, 3, height // SIDE, width // SIDE, generator=torch.Generator().manual_seed(seed)) - 0.5
    return (step * drawn).repeat_interleave(SIDE, -1).repeat_interleave(SIDE, -2)


def steepest(pixels: torch.Tensor) -> float:
    """The largest difference of neighbours."""
    return max(float(pixels.diff(dim=dim).abs().max()) for dim in (-1, -2))


@pytest.mark.parametrize(("height", "width"), [(64, 96), (32, 16), (16, 16)])
def test_small_steps_between_blocks_become_slopes(height: int, width: int) -> None:
    pixels = blocks(height, width, 6 * LEVEL)
    before = steepest(pixels)
    join_blocks(pixels)
    assert steepest(pixels) <= max(0.3 * before, 1e-6)


def test_the_inside_of_blocks_and_the_mean_stay() -> None:
    pixels = blocks(64, 64, 6 * LEVEL)
    joined = pixels.clone()
    join_blocks(joined)
    inside = [line for line in range(64) if 4 <= line % SIDE < 12]
    assert torch.equal(joined[..., inside, :][..., inside], pixels[..., inside, :][..., inside])
    assert joined.mean() == pytest.approx(float(pixels.mean()), abs=1e-3)


def test_a_smooth_slope_stays_as_it_is() -> None:
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")
    slope = (0.01 * x - 0.007 * y)[None].clone()
    joined = slope.clone()
    join_blocks(joined)
    assert torch.allclose(joined, slope, atol=1e-6)


def test_an_outline_on_a_border_stays_an_outline() -> None:
    pixels = torch.zeros(1, 32, 32)
    pixels[..., SIDE:] = 0.8
    join_blocks(pixels)
    assert steepest(pixels) == pytest.approx(0.8 - STEP, abs=1e-6)


def test_the_decoder_joins_its_blocks_except_in_training() -> None:
    torch.manual_seed(1)
    codec = TinyAE()
    torch.nn.init.normal_(codec.blocks.synthesis, std=0.002)
    latents = torch.randn(1, 32, 1, 3, 4)
    with torch.inference_mode():
        raw, _ = codec.train().decode(latents)
        shown, _ = codec.eval().decode(latents)
    expected = raw.clone()
    join_blocks(expected)
    assert (raw != shown).any()
    assert torch.allclose(shown, expected.clamp(-1, 1), atol=1e-6)
