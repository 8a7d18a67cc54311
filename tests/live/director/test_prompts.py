"""Prompts on their way: what the parameters ask for, and a mix for every chunk between here and there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.control.fades import Fade
from streamvace.control.parameters import PROMPT, PROMPTS, Change, Parameters
from streamvace.live.director.prompts import MOST_PARTS, PromptTransition, plain, spoken, wanted_mix
from streamvace.records.chunk import PromptMix

SECOND = 1_000_000_000


class Show:
    """A transition over parameters, on a clock that moves a second a chunk."""

    def __init__(self, **values: bool | float | str) -> None:
        self.now_ns = 100 * SECOND
        overrides = {f"/streamvace/{name}": value for name, value in values.items()}
        self.parameters = Parameters(overrides, clock=lambda: self.now_ns)
        self.transition = PromptTransition()

    def set(self, name: str, *arguments: object, fade: Fade | None = None) -> None:
        coerced = self.parameters.check(f"/streamvace/{name}", arguments)
        [result] = self.parameters.apply_bundle([Change(coerced, "test", fade)])
        assert result.status in ("set", "unchanged"), result.line

    def chunk(self, *, cut: bool = False, seconds: float = 1.0) -> dict[str, float]:
        self.now_ns += int(seconds * SECOND)
        mix = self.transition.next(self.parameters.snapshot(), self.now_ns, cut=cut)
        assert sum(weight for _, weight in mix.parts) == pytest.approx(1.0)
        return {text: round(weight, 6) for text, weight in mix.parts}


def test_the_mix_rules_while_there_is_one_and_the_prompt_otherwise() -> None:
    show = Show(prompt="red")
    assert wanted_mix(show.parameters.snapshot()) == PromptMix.of("red")
    show.set("prompts", "blue", 0.25, "glass", 0.75)
    show.set("prompt_blend", "slerp")
    assert wanted_mix(show.parameters.snapshot()) == PromptMix((("blue", 0.25), ("glass", 0.75)), "slerp")
    show.set("prompts", "blue", 0.0, "glass", 0.0)
    assert wanted_mix(show.parameters.snapshot()) == PromptMix.of("red"), "all faders down is no mix"


def test_one_prompt_is_plain_text_and_a_mix_can_be_said() -> None:
    assert plain(PromptMix.of("red")) == "red"
    mix = PromptMix((("red", 0.25), ("blue", 0.75)))
    assert plain(mix) is mix
    assert (spoken(mix), spoken(PromptMix.of("red"))) == ("red 25 % + blue 75 %", "red")


def test_without_a_transition_the_next_chunk_has_the_new_prompt() -> None:
    show = Show(prompt="red")
    assert show.chunk() == {"red": 1.0}
    show.set("prompt", "blue")
    assert show.chunk() == {"blue": 1.0}


def test_a_transition_in_chunks_takes_so_many_chunks() -> None:
    show = Show(prompt="red", prompt_transition=4.0, prompt_transition_unit="chunks")
    show.chunk()
    show.set("prompt", "blue")
    assert [show.chunk(seconds=9) for _ in range(5)] == [
        {"red": 0.75, "blue": 0.25},
        {"red": 0.5, "blue": 0.5},
        {"red": 0.25, "blue": 0.75},
        {"blue": 1.0},
        {"blue": 1.0},
    ]


def test_a_transition_in_seconds_goes_by_the_clock_from_when_the_prompt_came() -> None:
    show = Show(prompt="red", prompt_transition=4.0)
    show.chunk()
    show.set("prompt", "blue")
    assert show.chunk(seconds=1) == {"red": 0.75, "blue": 0.25}
    assert show.chunk(seconds=2) == {"red": 0.25, "blue": 0.75}
    assert show.chunk(seconds=9) == {"blue": 1.0}


def test_after_a_long_pause_a_transition_is_still_seen_from_its_beginning() -> None:
    show = Show(prompt="red", prompt_transition=4.0)
    show.chunk()
    show.set("prompt", "blue")
    show.now_ns += 60 * SECOND
    show.transition.paused(show.now_ns)
    assert show.chunk(seconds=1) == {"red": 0.75, "blue": 0.25}
    show.now_ns += 60 * SECOND
    show.transition.paused(show.now_ns)
    assert show.chunk(seconds=1) == {"blue": 1.0}, "one that has begun goes on by the clock"


def test_a_transition_that_is_cut_into_goes_on_from_what_is_shown() -> None:
    show = Show(prompt="red", prompt_transition=4.0, prompt_transition_unit="chunks")
    show.chunk()
    show.set("prompt", "blue")
    show.chunk()
    assert show.chunk() == {"red": 0.5, "blue": 0.5}
    show.set("prompt", "glass")
    assert show.chunk() == {"red": 0.375, "blue": 0.375, "glass": 0.25}


def test_between_two_mixes_the_shares_of_a_prompt_in_both_add_up() -> None:
    show = Show(prompt_transition=2.0, prompt_transition_unit="chunks")
    show.set("prompts", "red", 1.0, "blue", 1.0)
    show.chunk()
    show.set("prompts", "blue", 1.0, "glass", 1.0)
    assert show.chunk() == {"red": 0.25, "blue": 0.5, "glass": 0.25}


def test_a_reset_cuts_to_the_new_prompt() -> None:
    show = Show(prompt="red", prompt_transition=60.0)
    show.chunk()
    show.set("prompt", "blue")
    assert show.chunk(cut=True) == {"blue": 1.0}


def test_a_prompt_with_its_own_fade_takes_that_time_and_the_next_without_takes_the_parameters() -> None:
    show = Show(prompt="red")
    show.chunk()
    show.set("prompt", "blue", fade=Fade(2.0))
    assert show.chunk() == {"red": 0.5, "blue": 0.5}
    assert show.chunk() == {"blue": 1.0}
    show.set("prompt", "glass")
    assert show.chunk() == {"glass": 1.0}


def test_slerp_is_named_in_the_mix_of_a_transition() -> None:
    show = Show(prompt="red", prompt_transition=2.0, prompt_transition_unit="chunks", prompt_blend="slerp")
    show.chunk()
    show.set("prompt", "blue")
    show.chunk()
    assert show.transition.shown == PromptMix((("red", 0.5), ("blue", 0.5)), "slerp")


def test_of_too_many_prompts_at_once_the_smallest_give_way() -> None:
    show = Show(prompt_transition=4.0, prompt_transition_unit="chunks")
    for mix in ("abcdefgh", "ijklmnop", "qrstuvwx"):
        show.set("prompts", *mix)
        mixed = show.chunk()
    assert "".join(mixed) == "abcdefghqrstuvwx", "the second mix had got to a quarter of its way"
    assert mixed["a"] / mixed["q"] == pytest.approx(0.75 * 0.75 / 0.25, abs=1e-3)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("prompt"), st.sampled_from(["a", "b", "c"])),
        st.tuples(
            st.just("prompts"), st.lists(st.tuples(st.text("xyz", min_size=1, max_size=2), st.floats(0, 1)), max_size=8)
        ),
        st.tuples(st.just("chunk"), st.floats(0, 3)),
        st.tuples(st.just("cut"), st.none()),
    ),
    max_size=40,
)


@given(steps, st.floats(0, 8), st.sampled_from(["chunks", "seconds"]), st.sampled_from(["linear", "slerp"]))
def test_whatever_is_asked_every_mix_is_whole_bounded_and_ends_where_it_should(
    asked: list[tuple[str, object]], length: float, unit: str, blend: str
) -> None:
    show = Show(prompt_transition=length, prompt_transition_unit=unit, prompt_blend=blend)
    for what, value in asked:
        if what == "prompt":
            show.parameters.set(PROMPT, (value,), "test")
        elif what == "prompts":
            assert isinstance(value, list)
            show.parameters.set(PROMPTS, (tuple(value),), "test")
        elif what == "chunk":
            assert isinstance(value, float)
            assert 1 <= len(show.chunk(seconds=value)) <= MOST_PARTS
        else:
            cut = show.chunk(cut=True)
            assert set(cut) == set(wanted_mix(show.parameters.snapshot()).texts)
    for _ in range(10):
        show.chunk()
    assert show.transition.shown == wanted_mix(show.parameters.snapshot())
