"""Prompts in a running stream: mixes, transitions, and their effect on the history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from streamvace.model.text_blend import blend_linear, blend_slerp
from streamvace.records.chunk import ChunkInput, PromptMix
from streamvace.stream.generator import Generator
from streamvace.stream.prompt_encoder import PromptEncoder
from tests.networks import SlowEncoder, WordLengths, small_generator, small_spec


class Counted:
    """Counts a generator's work for its prompts."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self.encoded: list[str] = []
        self.text_kv = self.replays = self.resets = 0
        encoder, cache = generator.networks.text, generator.state.cache
        assert isinstance(encoder, WordLengths)
        encode, text_kv, replay, reset = encoder.encode, generator.networks.wan.text_kv, cache.replay, cache.reset

        def counted_encode(prompts):  # type: ignore[no-untyped-def]
            self.encoded += prompts
            return encode(prompts)

        def counted_text(embedded):  # type: ignore[no-untyped-def]
            self.text_kv += 1
            return text_kv(embedded)

        def counted_replay(start, frames):  # type: ignore[no-untyped-def]
            self.replays += 1
            return replay(start, frames)

        def counted_reset() -> None:
            self.resets += 1
            reset()

        encoder.encode = counted_encode  # type: ignore[method-assign]
        generator.networks.wan.text_kv = counted_text  # type: ignore[method-assign]
        cache.replay, cache.reset = counted_replay, counted_reset  # type: ignore[method-assign]

    def step(self, prompt: str | PromptMix) -> np.ndarray:
        return self.generator.step(ChunkInput(prompt)).frames


def counted(rule: str) -> Counted:
    return Counted(small_generator(small_spec(on_prompt_switch=rule)))


def fade(share: float, blend: str = "linear") -> PromptMix:
    return PromptMix((("red", 1 - share), ("blue", share)), blend)  # type: ignore[arg-type]


@pytest.mark.parametrize("blend", ["linear", "slerp"])
def test_a_mix_gives_its_own_picture_and_its_ends_give_the_prompts(blend: str) -> None:
    red, blue, start, half, end = (
        small_generator().step(ChunkInput(prompt)).frames
        for prompt in ("red", "blue", fade(0.0, blend), fade(0.5, blend), fade(1.0, blend))
    )
    np.testing.assert_array_equal(start, red)
    np.testing.assert_array_equal(end, blue)
    assert (half != red).any()
    assert (half != blue).any()


def test_a_constant_mix_costs_nothing_per_chunk() -> None:
    made = counted("recache")
    for weights in ((1, 1), (1, 1), (3, 3), (1, 1)):
        made.step(PromptMix((("red", weights[0]), ("blue", weights[1]))))
    assert made.encoded == ["red", "blue"]
    assert made.text_kv == 1
    assert made.replays == 0


def test_a_transition_encodes_each_text_once_and_makes_text_keys_once_per_chunk() -> None:
    made = counted("none")
    for index in range(11):
        made.step(fade(index / 10))
    assert made.encoded == ["red", "blue"]
    assert made.text_kv == 11


@pytest.mark.parametrize("rule", ["recache", "forget"])
def test_a_transition_of_ten_chunks_remakes_the_history_halfway_and_at_its_end(rule: str) -> None:
    made = counted(rule)
    remade = []
    for index in range(14):
        before = made.replays + made.resets
        made.step(fade(min(index / 10, 1.0)))
        if made.replays + made.resets > before:
            remade.append(index)
    assert remade == [5, 10]


def test_a_switch_remakes_the_history_at_once_and_only_then() -> None:
    made = counted("recache")
    for prompt in ("red", "red", "blue", "blue", "blue"):
        made.step(prompt)
    assert made.replays == 1


def test_a_small_change_remakes_the_history_when_it_has_ended() -> None:
    made = counted("recache")
    for share in (0.0, 0.1, 0.2, 0.2, 0.2, 0.2):
        made.step(fade(share))
    assert made.replays == 1


def test_a_reset_in_the_middle_of_a_transition_has_no_history_to_remake() -> None:
    made = counted("recache")
    made.step("red")
    made.generator.step(ChunkInput("blue", reset=True))
    made.step("blue")
    assert made.replays == 0


def test_unknown_words_of_every_part_are_reported_when_the_part_is_new() -> None:
    generator = small_generator()
    first = generator.step(ChunkInput(PromptMix((("red quux", 1.0), ("blue qop quux", 2.0))))).notes
    assert first == ("/streamvace/prompt: words the model does not know: quux, qop",)
    assert generator.step(ChunkInput(PromptMix((("red quux", 2.0), ("blue qop quux", 1.0))))).notes == ()
    assert generator.step(ChunkInput(PromptMix((("red quux", 2.0), ("qat", 1.0))))).notes == (
        "/streamvace/prompt: words the model does not know: qat",
    )


def test_the_context_branch_reads_the_same_mix() -> None:
    """Its text K/V are made once there is control, from the mix and not from the last whole prompt."""
    late, early = small_generator(), small_generator()
    control = np.zeros((12, 32, 32, 3), np.uint8)
    late.step(ChunkInput("red"))
    early.step(ChunkInput("red", control=control[:9]))
    for generator in (late, early):
        generator.step(ChunkInput(fade(0.3), control=control))
    for ours, theirs in zip(late.state.context_text, early.state.context_text, strict=True):
        assert torch.equal(ours[0], theirs[0])


def test_the_context_branch_reads_the_prompt_that_came_while_there_was_no_control() -> None:
    generator, fresh = small_generator(), small_generator()
    control = np.zeros((12, 32, 32, 3), np.uint8)
    generator.step(ChunkInput("red", control=control[:9]))
    generator.step(ChunkInput("blue"))
    generator.step(ChunkInput("blue", control=control))
    fresh.step(ChunkInput("blue", control=control[:9]))
    for ours, theirs in zip(generator.state.context_text, fresh.state.context_text, strict=True):
        assert all(map(torch.equal, ours, theirs))


@pytest.mark.parametrize(("blend", "blended"), [("linear", blend_linear), ("slerp", blend_slerp)])
def test_a_mix_is_blended_the_way_that_it_says(blend: str, blended: Callable[..., torch.Tensor]) -> None:
    generator = small_generator()
    generator.step(ChunkInput(fade(0.3, blend)))
    texts = [generator.networks.text.encode([text]) for text in ("red", "blue")]
    assert generator.state.encoded is not None
    torch.testing.assert_close(generator.state.encoded, blended(texts, [0.7, 0.3]))


def slow_generator(rule: str = "recache") -> tuple[Generator, SlowEncoder]:
    """A generator in a show with a slow text encoder."""
    generator = small_generator(small_spec(on_prompt_switch=rule), prompts="beside")
    encoder = SlowEncoder()
    generator.networks = replace(generator.networks, text=encoder)
    generator.prompts = PromptEncoder(encoder, "beside")
    return generator, encoder


def test_the_stream_keeps_the_old_prompt_until_the_new_one_is_encoded() -> None:
    """Until then no pixel differs from a stream without the new prompt; then it is an ordinary switch."""
    generator, encoder = slow_generator()
    asked = small_generator(small_spec(on_prompt_switch="recache"))
    with encoder.running():
        encoder.let("red")
        for _ in range(2):
            np.testing.assert_array_equal(step(generator, "red"), step(asked, "red"))
        for _ in range(3):
            np.testing.assert_array_equal(step(generator, "blue"), step(asked, "red"))
        encoder.let("blue")
        encoder.wait_for("blue")
        np.testing.assert_array_equal(step(generator, "blue"), step(asked, "blue"))


def test_a_fade_to_a_text_that_is_not_ready_waits_and_then_joins_at_its_current_position() -> None:
    generator, encoder = slow_generator("none")
    asked = small_generator(small_spec(on_prompt_switch="none"))
    with encoder.running():
        encoder.let("red")
        np.testing.assert_array_equal(step(generator, "red"), step(asked, "red"))
        np.testing.assert_array_equal(step(generator, fade(0.1)), step(asked, "red"))
        encoder.let("blue")
        encoder.wait_for("blue")
        np.testing.assert_array_equal(step(generator, fade(0.2)), step(asked, fade(0.2)))


def test_the_first_picture_after_warming_up_has_its_own_prompt() -> None:
    generator, encoder = slow_generator()
    with encoder.running():
        for text in ("warm up", "switch", "red"):
            encoder.let(text)
        generator.warm_up()
        np.testing.assert_array_equal(step(generator, "red"), step(small_generator(), "red"))
        assert encoder.encoded == ["warm up", "switch", "red"]


def test_a_performer_is_told_when_a_prompt_is_being_encoded_and_when_it_is_in_use() -> None:
    generator, encoder = slow_generator("none")
    with encoder.running():
        encoder.let("red")
        assert generator.step(ChunkInput("red")).notes == ()
        assert generator.step(ChunkInput("blue quux")).notes == (
            "prompt 'blue quux' is being encoded, the old one stays in use until then",
        )
        assert generator.step(ChunkInput("blue quux")).notes == ()
        encoder.let("blue quux")
        encoder.wait_for("blue quux")
        assert generator.step(ChunkInput("blue quux")).notes == (
            "prompt 'blue quux' is encoded and in use",
            "/streamvace/prompt: words the model does not know: quux",
        )
        assert generator.step(ChunkInput("blue quux")).notes == ()


def test_a_lora_reaches_the_text_while_another_prompt_is_being_encoded() -> None:
    generator, encoder = slow_generator("none")
    with encoder.running():
        encoder.let("red")
        step(generator, "red")
        before = generator.state.text[0][0]._version
        generator.networks.loras.version += 1
        step(generator, "blue")
        assert generator.state.text[0][0]._version > before
        assert generator.state.prompt == PromptMix.of("red")


def step(generator: Generator, prompt: str | PromptMix) -> np.ndarray:
    return generator.step(ChunkInput(prompt)).frames
