"""Which pictures a chunk's contexts are made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from streamvace.conditioning.context import ContextState, encode_context
from streamvace.conditioning.pixels import Canvas, to_mask, to_pixels
from streamvace.model.autoencoder.base import Autoencoder
from streamvace.model.cache import KVCache
from streamvace.model.specs import CacheRule
from streamvace.records.chunk import ChunkInput, Pixels
from streamvace.stream.chunk_contexts import chunk_contexts
from streamvace.stream.stream_state import StreamState
from tests.networks import SMALL, small_codec

CPU = torch.device("cpu")
CANVAS = Canvas(32, 32, 2, 2, CPU, torch.float32)


@pytest.fixture(scope="module")
def codec() -> Autoencoder:
    return small_codec("taehv")


def frames(count: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (count, 32, 32, 3), np.uint8)


def half_mask(count: int) -> Pixels:
    mask = np.zeros((count, 32, 32), np.uint8)
    mask[:, :16] = 255
    return mask


def stream(last: Pixels | None = None) -> StreamState:
    """A stream that has shown `last`; one that has shown nothing is at its start."""
    state = StreamState(KVCache(SMALL, CacheRule(window=6, sink=0), 2, 2))
    return state if last is None else replace(state, position=3, chunks=1, last_frames=last)


def under_the_mask(codec: Autoencoder, control: Pixels, *, first: bool) -> torch.Tensor:
    mask = to_mask(half_mask(len(control)), CPU, torch.float32)
    return encode_context(codec, ContextState(), to_pixels(control, CPU, torch.float32), mask, first)[0]


@pytest.mark.parametrize("shown", [9, 12])
def test_a_mask_alone_repaints_a_part_of_what_was_shown_last(codec: Autoencoder, shown: int) -> None:
    """Of a shorter chunk before, the first picture is held until the others are due."""
    last = frames(shown)
    (context,) = chunk_contexts(ChunkInput("red", mask=half_mask(12)), stream(last), codec, CANVAS, 12)
    held = np.concatenate((*[last[:1]] * (12 - shown), last))
    assert torch.equal(context, under_the_mask(codec, held, first=False))


def test_a_mask_alone_at_a_stream_s_start_repaints_a_part_of_mid_grey(codec: Autoencoder) -> None:
    (context,) = chunk_contexts(ChunkInput("red", mask=half_mask(9)), stream(), codec, CANVAS, 9)
    assert torch.equal(context, under_the_mask(codec, np.full((9, 32, 32, 3), 128, np.uint8), first=True))


def test_grey_that_stands_for_a_control_is_no_past_for_the_control_to_come(codec: Autoencoder) -> None:
    state = stream()
    chunk_contexts(ChunkInput("red", last_frame=frames(1)[0]), state, codec, CANVAS, 9)
    assert state.context.reactive is None
    assert state.context.inactive is not None, "what is kept goes on"
    state.position = 3
    chunk_contexts(ChunkInput("red", control=frames(12)), state, codec, CANVAS, 12)
    assert state.context.reactive is not None


def test_a_second_control_that_ends_has_no_past_when_it_returns(codec: Autoencoder) -> None:
    state = stream()
    both = chunk_contexts(ChunkInput("red", control=frames(9), second_control=frames(9, 1)), state, codec, CANVAS, 9)
    assert len(both) == 2
    assert state.context.second is not None
    state.position = 3
    assert len(chunk_contexts(ChunkInput("red", control=frames(12)), state, codec, CANVAS, 12)) == 1
    assert state.context.second is None
