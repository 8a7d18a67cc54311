"""The places of given first and last frames in a chunk's context."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from streamvace.conditioning.context import ContextState, encode_context, pack_mask
from streamvace.conditioning.extension import place_anchors
from tests.networks import small_codec

CPU, FLOAT = torch.device("cpu"), torch.float32


def picture(value: int) -> np.ndarray:
    return np.full((16, 16, 3), value, np.uint8)


@pytest.mark.parametrize("frames", [4, 5, 9, 12])
def test_each_anchor_occupies_exactly_one_frame(frames: int) -> None:
    placed = place_anchors(picture(255), picture(0), frames, CPU, FLOAT)
    assert sorted(placed) == [0, frames - 1]
    assert (placed[0] == 1).all()
    assert (placed[frames - 1] == -1).all()
    assert list(place_anchors(None, picture(0), frames, CPU, FLOAT)) == [frames - 1]
    assert place_anchors(None, None, frames, CPU, FLOAT) == {}


@pytest.mark.parametrize("codec", ["taehv", "wan-vae"])
def test_it_is_vace_s_own_layout_of_a_grey_clip_with_one_picture(codec: str) -> None:
    """Kept: the picture on its frame, grey elsewhere. To generate: grey. Mask: as VACE samples the clip's."""
    autoencoder = small_codec(codec)
    anchors = place_anchors(picture(200), picture(30), 9, CPU, FLOAT)
    context, _ = encode_context(autoencoder, ContextState(), torch.zeros(1, 3, 9, 16, 16), None, True, anchors)
    clip, mask = torch.zeros(1, 3, 9, 16, 16), torch.ones(1, 1, 9, 16, 16)
    clip[:, :, 0], clip[:, :, 8] = 200 / 127.5 - 1, 30 / 127.5 - 1
    mask[:, :, [0, 8]] = 0
    kept, _ = autoencoder.encode(clip, None)
    grey, _ = autoencoder.encode(torch.zeros_like(clip), None)
    torch.testing.assert_close(context, torch.cat((kept, grey, pack_mask(mask, 3, 2, 2)), dim=1), atol=1e-6, rtol=0)


def test_under_a_mask_it_fills_the_hole_and_what_is_kept_stays_kept() -> None:
    autoencoder = small_codec("taehv")
    control = torch.rand(1, 3, 12, 16, 16) * 2 - 1
    mask = torch.zeros(1, 1, 12, 16, 16)
    mask[..., :8] = 1
    anchors = place_anchors(picture(200), None, 12, CPU, FLOAT)
    context, _ = encode_context(autoencoder, ContextState(), control, mask, False, anchors)
    kept = control.masked_fill(mask > 0.5, 0.0)
    kept[:, :, 0, :, :8] = 200 / 127.5 - 1
    expected, _ = autoencoder.encode(kept, autoencoder.blank_state(kept))
    torch.testing.assert_close(context[:, :16], expected, atol=0, rtol=0)


def test_what_is_given_is_not_a_control_as_well() -> None:
    autoencoder = small_codec("taehv")
    control = torch.rand(1, 3, 12, 16, 16) * 2 - 1
    anchors = place_anchors(picture(200), None, 12, CPU, FLOAT)
    context, _ = encode_context(autoencoder, ContextState(), control, None, False, anchors)
    control[:, :, 0] = 0
    expected, _ = autoencoder.encode(control, autoencoder.blank_state(control))
    torch.testing.assert_close(context[:, 16:32], expected, atol=0, rtol=0)


def test_a_chunk_of_the_one_frame_that_is_given_has_nothing_to_generate() -> None:
    anchors = place_anchors(None, picture(200), 1, CPU, FLOAT)
    context, _ = encode_context(small_codec("taehv"), ContextState(), torch.zeros(1, 3, 1, 16, 16), None, True, anchors)
    assert not context[:, 32:].any()


def test_an_anchor_does_not_interrupt_the_control() -> None:
    """The control's encoder stream goes on through a chunk with an anchor; a mask would have started it afresh."""
    autoencoder = small_codec("taehv")
    states = []
    for anchors in ({}, place_anchors(None, picture(200), 12, CPU, FLOAT)):
        _, state = encode_context(autoencoder, ContextState(), torch.rand(1, 3, 9, 16, 16), None, True)
        _, state = encode_context(autoencoder, state, torch.rand(1, 3, 12, 16, 16), None, False, anchors)
        states.append(state.reactive)
    assert all(state is not None for state in states)


def test_the_caller_s_control_is_left_as_it_was() -> None:
    control = torch.rand(1, 3, 9, 16, 16)
    before = control.clone()
    anchors = place_anchors(picture(9), picture(9), 9, CPU, FLOAT)
    encode_context(small_codec("taehv"), ContextState(), control, None, True, anchors)
    torch.testing.assert_close(control, before, atol=0, rtol=0)
