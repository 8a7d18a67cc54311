"""Prompt syntax of other programs is taken out and named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.records.chunk import ChunkInput, PromptMix
from streamvace.stream.prompt_syntax import read_prompt
from tests.networks import small_generator


@pytest.mark.parametrize(
    ("prompt", "text", "syntax"),
    [
        ("(red:1.4) ball", "red ball", ("(red:1.4)",)),
        ("(red, blue: .5) ball", "red, blue ball", ("(red, blue: .5)",)),
        ("((red)) ball", "red ball", ("((red))",)),
        ("a (((red glass))) ball", "a red glass ball", ("(((red glass)))",)),
        ("[red] ball", "red ball", ("[red]",)),
        ("red <lora:neon:0.8> ball", "red ball", ("<lora:neon:0.8>",)),
        ("<LoRA:neon>", "", ("<LoRA:neon>",)),
        ("[red] (ball:2) <lora:x:1> [red]", "red ball red", ("[red]", "(ball:2)", "<lora:x:1>")),
    ],
)
def test_syntax_is_taken_out_and_its_words_stay_but_for_the_name_of_a_lora(
    prompt: str, text: str, syntax: tuple[str, ...]
) -> None:
    assert read_prompt(prompt) == (text, syntax)


@pytest.mark.parametrize(
    "prompt",
    ["a man (smiling) walks", "a film in 16:9 (16:9)", "at 10:30", "a < b", "red:  blue", "赤い (球) 🔥", ":)"],
)
def test_punctuation_stays_as_it_is(prompt: str) -> None:
    assert read_prompt(prompt) == (prompt, ())


@given(st.text("()[]<>:ab1.", max_size=60))
def test_any_brackets_are_read_and_nothing_is_added(prompt: str) -> None:
    text, syntax = read_prompt(prompt)
    assert len(text) <= len(prompt)
    assert bool(syntax) == (text != prompt)


def test_a_prompt_with_syntax_gives_the_picture_of_its_words_and_one_remark() -> None:
    """In every pipeline, as every text passes here. The LoRA's name is no word, not even an unknown one."""
    plain, other = small_generator(), small_generator()
    wanted = plain.step(ChunkInput("red ball"))
    made = other.step(ChunkInput("(red:1.4) <lora:quux:1> ball"))
    assert (made.frames == wanted.frames).all()
    assert made.notes == (
        "/streamvace/prompt: without effect: (red:1.4), <lora:quux:1>; "
        "/streamvace/prompts sets weights, --lora adds LoRAs",
    )
    assert other.step(ChunkInput("(red:1.4) <lora:quux:1> ball")).notes == ()
    mixed = other.step(ChunkInput(PromptMix((("(red:1.4) <lora:quux:1> ball", 1.0), ("[blue]", 1.0)))))
    assert mixed.notes == (
        "/streamvace/prompt: without effect: [blue]; /streamvace/prompts sets weights, --lora adds LoRAs",
    )
