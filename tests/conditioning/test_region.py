"""A mask becomes a region of tokens: means over each token's pixels, in the transformer's order."""

from __future__ import annotations

import pytest
import torch

from streamvace.conditioning.context import pack_mask
from streamvace.conditioning.region import scale_tokens, token_mask


def test_a_token_holds_the_mean_of_its_pixels_in_time_row_column_order() -> None:
    mask = torch.rand(1, 1, 12, 32, 48)
    tokens = token_mask(mask, 3, 2, 3)
    assert tokens.shape == (1, 18, 1)
    for index in range(18):
        frame, row, column = index // 6, index % 6 // 3, index % 3
        pixels = mask[0, 0, (2, 6, 10)[frame], row * 16 : row * 16 + 16, column * 16 : column * 16 + 16]
        assert float(tokens[0, index, 0]) == pytest.approx(float(pixels.mean()), abs=1e-6)


@pytest.mark.parametrize(("count", "frames"), [(9, 3), (12, 3), (5, 2), (4, 1)])
def test_it_takes_the_frames_that_the_context_takes(count: int, frames: int) -> None:
    """A mask that is flat in space but not in time: both see the same values."""
    mask = torch.linspace(0, 1, count).view(1, 1, count, 1, 1).expand(1, 1, count, 32, 32)
    context = pack_mask(mask, frames, 4, 4)[0, 0, :, 0, 0]
    torch.testing.assert_close(token_mask(mask, frames, 2, 2)[0, ::4, 0], context)


def test_a_scale_map_is_the_mean_of_each_token_s_own_frames() -> None:
    scale = torch.full((9, 4, 4), 128.0)
    scale[0], scale[1:5] = 255, torch.tensor([0.0, 0.0, 256.0, 256.0]).view(4, 1, 1)
    scale[8, :2] = 0
    factors = scale_tokens(scale, 3, 4, 2, 2)
    assert factors.shape == (1, 12, 1)
    assert factors.view(3, 4)[0].tolist() == [255 / 128] * 4
    assert factors.view(3, 4)[1].tolist() == [1.0] * 4
    assert factors.view(3, 4)[2].tolist() == [0.75, 0.75, 1.0, 1.0]


def test_later_chunks_have_four_frames_a_latent_frame() -> None:
    scale = torch.zeros(12, 2, 2)
    scale[4:8] = 128
    assert scale_tokens(scale, 3, 4, 1, 1).flatten().tolist() == [0.0, 1.0, 0.0]
