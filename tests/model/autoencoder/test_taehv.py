"""TAEHV streams: any chunking equals the whole clip, streams don't touch, control stays aligned with the picture."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from streamvace.model.autoencoder.taehv import TAEHV


@pytest.fixture(scope="module")
def codec() -> TAEHV:
    torch.manual_seed(3)
    return TAEHV(encoder_width=8, decoder_widths=(16, 8, 8, 8)).eval().requires_grad_(False)


@settings(max_examples=15, deadline=None)
@given(groups=st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_any_chunking_equals_the_whole_clip(codec: TAEHV, groups: list[int]) -> None:
    total = sum(groups)
    pixels = torch.rand(1, 3, 1 + 4 * (total - 1), 16, 24) * 2 - 1
    whole, _ = codec.encode(pixels, None)
    decoded, _ = codec.decode(whole, None)
    state = decoder = None
    latents, frames, at = [], [], 0
    for index, count in enumerate(groups):
        size = 4 * count - (3 if index == 0 else 0)
        z, state = codec.encode(pixels[:, :, at : at + size], state)
        x, decoder = codec.decode(z, decoder)
        latents.append(z)
        frames.append(x)
        at += size
    torch.testing.assert_close(torch.cat(latents, 2), whole, atol=1e-5, rtol=0)
    torch.testing.assert_close(torch.cat(frames, 2), decoded, atol=1e-5, rtol=0)
    assert decoded.shape == pixels.shape


def test_two_streams_through_one_codec_do_not_touch(codec: TAEHV) -> None:
    clip = torch.rand(1, 3, 9, 16, 16) * 2 - 1
    more = torch.rand(1, 3, 12, 16, 16) * 2 - 1
    _, alone = codec.encode(clip, None)
    expected, _ = codec.encode(more, alone)
    _, one = codec.encode(clip, None)
    codec.encode(-clip, None)
    torch.testing.assert_close(codec.encode(more, one)[0], expected, atol=0, rtol=0)


@pytest.mark.parametrize("frame", range(9))
def test_an_impulse_in_a_control_frame_moves_its_own_latent_first(codec: TAEHV, frame: int) -> None:
    """Latent 0 stands for pixel frame 0, latent k for frames 4k-3 .. 4k; nothing earlier may move."""
    calm = torch.zeros(1, 3, 9, 16, 16)
    struck = calm.clone()
    struck[:, :, frame] = 1
    moved = (codec.encode(struck, None)[0] - codec.encode(calm, None)[0]).abs().amax(dim=(0, 1, 3, 4))
    own = (frame + 3) // 4
    assert moved[own] > 0
    assert (moved[:own] == 0).all()


def test_a_blank_state_is_aligned_as_in_mid_stream(codec: TAEHV) -> None:
    """Encoding with it takes whole groups and equals a stream whose past left nothing in the memory."""
    pixels = torch.rand(1, 3, 12, 16, 24) * 2 - 1
    blank = codec.blank_state(pixels)
    assert codec.encode(pixels, blank)[0].shape[2] == 3
    _, real = codec.encode(torch.rand(1, 3, 9, 16, 24), None)
    assert [tuple(t.shape) for t in blank] == [tuple(t.shape) for t in real]


def test_a_chunk_out_of_phase_is_refused_with_its_length(codec: TAEHV) -> None:
    with pytest.raises(ValueError, match="got 11"):
        codec.encode(torch.zeros(1, 3, 11, 16, 16), codec.blank_state(torch.zeros(1, 3, 1, 16, 16)))
