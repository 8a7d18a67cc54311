"""Promises of a chunk's inputs."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.records.chunk import BLENDS, PromptMix

TEXTS = st.sampled_from(["", "red", "blue", "a cube", "mist"])
MIXES = st.builds(
    PromptMix,
    st.lists(st.tuples(TEXTS, st.floats(0, 1000)), min_size=1, max_size=6)
    .map(tuple)
    .filter(lambda parts: sum(weight for _, weight in parts) > 1e-6),
    st.sampled_from(BLENDS),
)


@given(MIXES)
def test_a_mix_has_one_form_whose_weights_add_up_to_1(mix: PromptMix) -> None:
    form = PromptMix.of(mix)
    assert sum(weight for _, weight in form.parts) == pytest.approx(1.0)
    assert len(set(form.texts)) == len(form.texts)
    assert {text for text, weight in mix.parts if weight} >= set(form.texts)


@given(MIXES, MIXES)
def test_the_distance_of_two_mixes_is_the_share_of_words_that_changed(one: PromptMix, other: PromptMix) -> None:
    ours, theirs = PromptMix.of(one), PromptMix.of(other)
    assert 0 <= ours.distance(theirs) <= 1 + 1e-9
    assert ours.distance(theirs) == pytest.approx(theirs.distance(ours))
    assert ours.distance(ours) == 0


def test_only_the_ratios_of_weights_count() -> None:
    assert PromptMix.of(PromptMix((("red", 1), ("blue", 3)))) == PromptMix.of(PromptMix((("red", 20), ("blue", 60))))


def test_a_text_alone_is_the_same_prompt_however_it_is_given() -> None:
    for mix in (
        PromptMix((("red", 7.0),)),
        PromptMix((("red", 1.0), ("blue", 0.0)), "slerp"),
        PromptMix((("red", 0.2), ("red", 0.4))),
    ):
        assert PromptMix.of(mix) == PromptMix.of("red")


def test_a_fade_by_tenths_moves_a_tenth_and_other_words_move_everything() -> None:
    fade = PromptMix.of(PromptMix((("red", 9), ("blue", 1))))
    assert PromptMix.of("red").distance(fade) == pytest.approx(0.1)
    assert PromptMix.of("red").distance(PromptMix.of("blue")) == 1


@pytest.mark.parametrize("weights", [(), (0.0,), (-1.0, 2.0), (math.nan,), (math.inf, 1.0), (1e308, 1e308)])
def test_weights_that_mean_nothing_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="prompt weights"):
        PromptMix(tuple((str(index), weight) for index, weight in enumerate(weights)))


def test_an_unknown_blend_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"blend 'cubic'; there are: linear, slerp"):
        PromptMix((("red", 1.0),), "cubic")  # type: ignore[arg-type]
