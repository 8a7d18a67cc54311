"""The closed vocabulary: what is known is understood, what is not is said."""

import pytest
import torch

import osc_schema
from streamvace.control.cue_file import built_in_cues
from streamvace.world.captions import VOCABULARY
from streamvace.world.text import TEXT_LEN, TextEncoder, synonyms, tokens_of, unknown_words


def test_every_synonym_stands_for_words_of_the_vocabulary() -> None:
    assert len(synonyms()) > 300
    for word, meaning in synonyms().items():
        assert word not in VOCABULARY
        assert meaning
        assert set(meaning) <= set(VOCABULARY)


def test_a_synonym_and_a_plural_mean_the_same_as_the_word() -> None:
    assert tokens_of("a crimson sphere") == tokens_of("red ball") == tokens_of("RED, balls!")


def test_a_style_counts_wherever_it_stands_in_the_prompt() -> None:
    assert tokens_of("red ball and blue ring, neon") == tokens_of("neon red ball and blue ring")
    assert tokens_of("gold ring and silver ball") == tokens_of("metal yellow ring and gray ball")


def test_a_material_stays_beside_its_noun() -> None:
    prompt = "neon lava ball on blue ice background"
    assert tokens_of(prompt) == [VOCABULARY.index(word) + 1 for word in prompt.split()]
    assert tokens_of("frozen ball on stained background") == tokens_of("ice ball on glass background")


def test_unknown_words_are_reported_once_and_in_order() -> None:
    assert unknown_words("a red dragon and another dragon over Paris") == ["dragon", "another", "paris"]
    assert unknown_words("glossy red ring on blue and purple plasma background") == []


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        ("赤い球、青い背景", ["赤い球", "青い背景"]),
        ("красный шар", ["красный", "шар"]),
        ("rote Würfel", ["rote", "würfel"]),
        ("rote Wu\u0308rfel", ["rote", "würfel"]),  # decomposed, as macOS writes it
        ("हिन्दी शब्द", ["हिन्दी", "शब्द"]),
        ("red ball 🔥🔥 and 👩‍🚀", ["🔥🔥", "👩‍🚀"]),
        ("red🔥ball", ["🔥"]),
        ("3d ball, 2 rings at 90°", ["3d"]),
    ],
)
def test_words_of_any_script_are_reported_whole(prompt: str, unknown: list[str]) -> None:
    assert unknown_words(prompt) == unknown


@pytest.mark.parametrize("prompt", ["réd báll", "RED BALL", "ＲＥＤ ｂａｌｌ", "red2 ball2", "re\u0301d ball"])
def test_accents_width_and_digits_do_not_hide_a_known_word(prompt: str) -> None:
    assert tokens_of(prompt) == tokens_of("red ball")
    assert unknown_words(prompt) == []


def test_padding_rows_are_zero_and_a_long_prompt_is_cut() -> None:
    encoder = TextEncoder()
    out = encoder.encode(["red ball", "", "red " * 100])
    assert out.shape == (3, TEXT_LEN, 128)
    assert torch.count_nonzero(out[0, 2:]) == 0
    assert torch.count_nonzero(out[1]) == 0
    assert out[2].abs().sum(-1).min() > 0


def test_a_prompt_means_the_same_alone_and_in_a_batch() -> None:
    encoder = TextEncoder()
    both = encoder.encode(["red ball", "green star on stripes background"])
    assert torch.allclose(both[0], encoder.encode(["red ball"])[0], atol=1e-6)


def test_the_first_words_and_those_of_every_look_are_known() -> None:
    schema = osc_schema.by_address()
    prompts = [look.values["/streamvace/prompt"].value for look in built_in_cues("embedded", schema)]
    for prompt in (schema["/streamvace/prompt"].default, *prompts):
        assert unknown_words(str(prompt)) == []
