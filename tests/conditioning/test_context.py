"""Encoding of control and mask to the VACE context."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from streamvace.conditioning.context import ContextState, encode_context, pack_mask, second_context
from streamvace.model.autoencoder.taehv import TAEHV
from tests.networks import small_codec


@pytest.fixture(scope="module")
def codec() -> TAEHV:
    torch.manual_seed(3)
    return TAEHV(encoder_width=8, decoder_widths=(16, 8, 8, 8)).eval().requires_grad_(False)


def clip(frames: int, seed: int = 0) -> Tensor:
    return torch.rand(1, 3, frames, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def half_mask(frames: int) -> Tensor:
    mask = torch.zeros(1, 1, frames, 16, 16)
    mask[..., :8] = 1
    return mask


def test_the_channels_are_inactive_reactive_mask(codec: TAEHV) -> None:
    context, _ = encode_context(codec, ContextState(), clip(9), None, first=True)
    assert context.shape == (1, 96, 3, 2, 2)
    torch.testing.assert_close(context[:, 16:32], codec.encode(clip(9), None)[0])
    torch.testing.assert_close(context[:, :16], codec.encode(torch.zeros_like(clip(9)), None)[0])
    assert (context[:, 32:] == 1).all()


def test_kept_pixels_and_generated_pixels_are_encoded_apart(codec: TAEHV) -> None:
    context, _ = encode_context(codec, ContextState(), clip(9), half_mask(9), first=True)
    other = clip(9)
    other[..., :8] = 0.3
    changed, _ = encode_context(codec, ContextState(), other, half_mask(9), first=True)
    torch.testing.assert_close(changed[:, :16], context[:, :16], atol=0, rtol=0)
    assert not torch.equal(changed[:, 16:32], context[:, 16:32])


def test_a_soft_mask_keeps_up_to_the_middle_and_generates_beyond(codec: TAEHV) -> None:
    mask = torch.cat((torch.full((1, 1, 9, 16, 8), 0.5), torch.full((1, 1, 9, 16, 8), 0.51)), dim=-1)
    context, _ = encode_context(codec, ContextState(), clip(9), mask, first=True)
    kept, generated = clip(9), clip(9)
    kept[..., 8:], generated[..., :8] = 0, 0
    torch.testing.assert_close(context[:, :16], codec.encode(kept, None)[0], atol=0, rtol=0)
    torch.testing.assert_close(context[:, 16:32], codec.encode(generated, None)[0], atol=0, rtol=0)


def test_a_mask_in_the_middle_of_a_stream_starts_its_hole_afresh_and_keeps_the_rest_going(codec: TAEHV) -> None:
    _, state = encode_context(codec, ContextState(), clip(9, 1), None, first=True)
    context, _ = encode_context(codec, state, clip(12, 2), half_mask(12), first=False)
    kept, hole = clip(12, 2), clip(12, 2)
    kept[..., :8], hole[..., 8:] = 0, 0
    afresh = codec.encode(hole, codec.blank_state(hole))[0]
    torch.testing.assert_close(context[:, 16:32], afresh, atol=0, rtol=0)
    torch.testing.assert_close(context[:, :16], codec.encode(kept, state.inactive)[0], atol=0, rtol=0)


@pytest.mark.parametrize("mask", [None, half_mask(9)], ids=["everything", "half"])
def test_a_second_control_takes_the_place_of_the_generated_pixels_alone(codec: TAEHV, mask: Tensor | None) -> None:
    first, state = encode_context(codec, ContextState(), clip(9, 1), mask, first=True)
    joined, after = second_context(codec, state, first, clip(9, 2), mask, first=True)
    alone, _ = encode_context(codec, ContextState(), clip(9, 2), mask, first=True)
    torch.testing.assert_close(joined, torch.cat((first[:, :16], alone[:, 16:32], first[:, 32:]), 1), atol=0, rtol=0)
    assert (after.second is None) == (mask is not None), "what was in a hole is no past"


def test_a_streamed_control_equals_the_whole_clip(codec: TAEHV) -> None:
    whole, _ = encode_context(codec, ContextState(), clip(33), None, first=True)
    state, parts = ContextState(), []
    for start, end in ((0, 9), (9, 21), (21, 33)):
        part, state = encode_context(codec, state, clip(33)[:, :, start:end], None, first=start == 0)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts, 2), whole, atol=1e-5, rtol=0)


def test_inpainting_does_not_ghost_what_was_in_the_hole_last_chunk(codec: TAEHV) -> None:
    results = []
    for past in (clip(9, 1), clip(9, 2)):
        past = past.clone()
        past[..., 8:] = 0.5  # the kept half is the same in both histories
        _, state = encode_context(codec, ContextState(), past, half_mask(9), first=True)
        results.append(encode_context(codec, state, clip(12), half_mask(12), first=False)[0])
    torch.testing.assert_close(results[0], results[1], atol=0, rtol=0)


def test_a_mask_that_is_all_white_for_one_chunk_does_not_pick_up_a_stale_stream(codec: TAEHV) -> None:
    _, state = encode_context(codec, ContextState(), clip(9, 1), None, first=True)
    _, state = encode_context(codec, state, clip(12, 2), half_mask(12), first=False)
    assert state.reactive is None
    context, _ = encode_context(codec, state, clip(12, 3), None, first=False)
    afresh = codec.encode(clip(12, 3), codec.blank_state(clip(12, 3)))[0]
    torch.testing.assert_close(context[:, 16:32], afresh, atol=0, rtol=0)


def test_no_control_frame_is_dropped_in_any_chunk(codec: TAEHV) -> None:
    """Every frame of a chunk moves the context, masked or not, first chunk or later."""
    for first, count in ((True, 9), (False, 12)):
        for mask in (None, half_mask(count)):
            still, _ = encode_context(codec, ContextState(), clip(count), mask, first)
            for frame in range(count):
                struck = clip(count)
                struck[:, :, frame] = -struck[:, :, frame]
                moved, _ = encode_context(codec, ContextState(), struck, mask, first)
                assert not torch.equal(moved, still), (first, mask is None, frame)


@pytest.mark.parametrize("name", ["taehv", "wan-vae", "tiny"])
def test_chunks_that_keep_nothing_are_encoded_until_the_latents_are_constant(name: str) -> None:
    """Half of the encoding of structural control; the context is the one of encoding it every time, to the last bit."""
    size = 32 if name == "tiny" else 16
    autoencoder = small_codec(name)

    def part(frames: int, seed: int) -> Tensor:
        return torch.rand(1, 3, frames, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1

    saving = every = ContextState()
    saved = []
    for index in range(14):
        frames = 12 if index else 9
        control, mask = part(frames, index), None
        if index == 12:
            mask = torch.zeros(1, 1, frames, size, size)
            mask[..., : size // 2] = 1
        ours, saving = encode_context(autoencoder, saving, control, mask, first=index == 0)
        theirs, every = encode_context(autoencoder, replace(every, grey=None), control, mask, first=index == 0)
        torch.testing.assert_close(ours, theirs, atol=0, rtol=0)
        saved.append(saving.grey is not None)
    assert saved[11], "it stands still within the codec's memory"
    assert not saved[12], "something is kept again"


def test_soft_masks_stay_soft_and_keep_their_place() -> None:
    mask = torch.rand(1, 1, 12, 16, 24)
    packed = pack_mask(mask, 3, 2, 3)
    assert packed.shape == (1, 64, 3, 2, 3)
    # Latent frame 1 reads pixel frame 6; channel dy * 8 + dx of cell (1, 2) is pixel (8 + dy, 16 + dx).
    assert packed[0, 3 * 8 + 5, 1, 1, 2] == mask[0, 0, 6, 8 + 3, 16 + 5]


def test_a_codec_with_a_larger_stride_gets_the_mask_s_mean() -> None:
    mask = torch.zeros(1, 1, 9, 32, 32)
    mask[..., ::2, :] = 1
    assert (pack_mask(mask, 3, 2, 2) == 0.5).all()
