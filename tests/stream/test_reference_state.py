"""When references are encoded, and when their keys are made."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from streamvace.conditioning.pixels import Canvas, to_pixels
from streamvace.model.autoencoder.base import Autoencoder
from streamvace.records.chunk import Pixels, PromptMix
from streamvace.stream.link import OneDevice
from streamvace.stream.reference_state import ReferenceState
from tests.networks import small_codec, small_generator

CPU = torch.device("cpu")
CANVAS = Canvas(32, 32, 2, 2, CPU, torch.float32)
HERE = OneDevice(CPU)


@pytest.fixture(scope="module")
def codec() -> Autoencoder:
    return small_codec("taehv")


def pictures(count: int) -> Pixels:
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32, 3), np.uint8)


def latents_of(codec: Autoencoder, shown: Pixels) -> torch.Tensor:
    alone = [codec.encode(to_pixels(picture[None], CPU, torch.float32), None)[0] for picture in shown]
    return torch.cat(alone, dim=2)


def test_the_latents_are_those_of_the_newest_pictures_each_encoded_alone(codec: Autoencoder) -> None:
    state = ReferenceState()
    shown = pictures(2)
    for change in ((), (1,), (0,), (0, 1)):
        shown = shown.copy()
        shown[list(change)] = 255 - shown[list(change)]
        assert torch.equal(state.take(codec, shown, CANVAS), latents_of(codec, shown))  # type: ignore[arg-type]
    assert torch.equal(state.take(codec, shown[:1], CANVAS), latents_of(codec, shown[:1]))  # type: ignore[arg-type]
    assert state.take(codec, None, CANVAS) is None


def test_what_the_caller_writes_into_its_array_afterwards_is_another_picture(codec: Autoencoder) -> None:
    """The array may be a view of shared memory, which the next chunk overwrites."""
    state, shared = ReferenceState(), pictures(1)
    state.take(codec, shared, CANVAS)
    shared[:] = 255 - shared
    assert torch.equal(state.take(codec, shared, CANVAS), latents_of(codec, shared))  # type: ignore[arg-type]


def test_keys_are_made_again_for_other_words_or_another_lora_version_and_only_then(codec: Autoencoder) -> None:
    generator, state = small_generator(), ReferenceState()
    wan = generator.networks.wan
    text = wan.text_kv(wan.embed_text(generator.networks.text.encode(["red"])))
    assert state.base_keys(wan, text, (PromptMix.of("red"), 0), 0.0, HERE) is None
    state.take(codec, pictures(1), CANVAS)
    made = [
        state.base_keys(wan, text, words, 0.0, HERE)
        for words in ((PromptMix.of("red"), 0), (PromptMix.of("red"), 0), (PromptMix.of("blue"), 0))
    ]
    made.append(state.base_keys(wan, text, (PromptMix.of("blue"), 1), 0.0, HERE))
    assert [one is other for one, other in pairwise(made)] == [True, False, False]
