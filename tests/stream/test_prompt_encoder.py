"""Prompts are encoded at once or in a thread, and the stream never waits for a thread."""

from __future__ import annotations

import pytest

from streamvace.stream.prompt_encoder import KEPT_TEXTS, PromptEncoder
from streamvace.system.errors import UserError
from tests.networks import SlowEncoder, WordLengths


def test_a_cached_text_is_ready_at_once_in_both_modes() -> None:
    for mode in ("wait", "beside"):
        (found,) = PromptEncoder(WordLengths(), mode).take(["red quux"], needed=False) or []
        assert found.unknown == ("quux",)
        assert found.embedding.shape[0] == 1


def test_in_wait_mode_the_first_call_returns_the_texts() -> None:
    encoder = SlowEncoder()
    encoder.let("red")
    encoder.let("blue")
    assert len(PromptEncoder(encoder, "wait").take(["red", "blue"], needed=False) or []) == 2


def test_a_new_text_is_encoded_in_a_thread_and_reported_once() -> None:
    encoder = SlowEncoder()
    prompts = PromptEncoder(encoder, "beside")
    with encoder.running():
        assert prompts.take(["red"], needed=False) is None
        assert prompts.remarks() == ("prompt 'red' is being encoded, the old one stays in use until then",)
        assert prompts.take(["red"], needed=False) is None
        assert prompts.remarks() == ()
        encoder.let("red")
        encoder.wait_for("red")
        assert prompts.take(["red"], needed=False) is not None
        assert prompts.remarks() == ("prompt 'red' is encoded and in use",)
        assert prompts.remarks() == ()


def test_a_cancelled_request_starts_no_further_text() -> None:
    encoder = SlowEncoder()
    prompts = PromptEncoder(encoder, "beside")
    with encoder.running():
        assert prompts.take(["red", "blue"], needed=False) is None
        encoder.wait_begun("red")
        prompts.drop()
        encoder.let("red")
        encoder.wait_for("red")
        assert encoder.begun == ["red"]
        assert prompts.remarks() == ()


def test_the_newest_request_is_encoded_next_and_older_ones_are_skipped() -> None:
    encoder = SlowEncoder()
    prompts = PromptEncoder(encoder, "beside")
    with encoder.running():
        for text in ("one", "two", "three", "four"):
            assert prompts.take([text], needed=False) is None
            encoder.wait_begun("one")
        encoder.let("one")
        encoder.let("four")
        encoder.wait_for("four")
        assert encoder.begun == ["one", "four"]
        assert prompts.take(["four"], needed=False) is not None
        assert prompts.take(["one"], needed=False) is not None  # it was encoded, so it is kept


def test_a_mix_is_ready_when_all_of_its_texts_are() -> None:
    encoder = SlowEncoder()
    prompts = PromptEncoder(encoder, "beside")
    with encoder.running():
        encoder.let("red")
        assert prompts.take(["red", "blue", "red"], needed=False) is None
        encoder.wait_begun("blue")
        assert prompts.take(["red", "blue", "red"], needed=False) is None
        encoder.let("blue")
        encoder.wait_for("blue")
        assert len(prompts.take(["red", "blue", "red"], needed=False) or []) == 3


def test_the_first_prompt_of_a_show_blocks_until_it_is_encoded() -> None:
    encoder = SlowEncoder()
    encoder.let("red")
    assert PromptEncoder(encoder, "beside").take(["red"], needed=True) is not None


def test_a_failed_text_is_reported_in_one_line_and_tried_again_when_requested_again() -> None:
    encoder = SlowEncoder()
    prompts = PromptEncoder(encoder, "beside")
    with encoder.running():
        encoder.let("broken")
        assert prompts.take(["broken"], needed=False) is None
        encoder.wait_begun("broken")
        encoder.join()
        assert prompts.take(["broken"], needed=False) is None
        assert prompts.remarks() == (
            "prompt 'broken' cannot be encoded, the old one stays in use: no room: 12.1 GB needed, 10.4 GB free",
        )
        assert prompts.take(["broken"], needed=False) is None
        assert prompts.remarks() == ()
        assert encoder.begun == ["broken"]
        encoder.let("red")
        prompts.take(["red"], needed=False)
        encoder.wait_for("red")
        prompts.take(["broken"], needed=False)
        encoder.join()
        assert encoder.begun == ["broken", "red", "broken"]


def test_in_wait_mode_an_error_is_raised() -> None:
    encoder = SlowEncoder()
    encoder.let("broken")
    with pytest.raises(RuntimeError, match="no room"):
        PromptEncoder(encoder, "beside").take(["broken"], needed=True)


def test_a_long_prompt_is_shortened_in_messages() -> None:
    encoder = SlowEncoder()
    prompts = PromptEncoder(encoder, "beside")
    with encoder.running():
        prompts.take(["a coral reef, volumetric light, slow camera, film grain"], needed=False)
        assert prompts.remarks()[0].startswith("prompt 'a coral reef, volumetric light, slow ...' is")


class Counted(WordLengths):
    count = 0

    def encode(self, prompts):  # type: ignore[no-untyped-def]
        self.count += 1
        return super().encode(prompts)


def test_of_the_texts_that_are_kept_the_one_unused_for_longest_is_let_go_first() -> None:
    encoder = Counted()
    prompts = PromptEncoder(encoder)
    for index in range(KEPT_TEXTS):
        prompts.take([f"part {index}"], needed=False)
    prompts.take(["part 0"], needed=False)
    prompts.take(["one more"], needed=False)
    assert encoder.count == KEPT_TEXTS + 1
    prompts.take(["part 0"], needed=False)
    assert encoder.count == KEPT_TEXTS + 1, "it was used a moment ago"
    prompts.take(["part 1"], needed=False)
    assert encoder.count == KEPT_TEXTS + 2


def test_a_mix_of_the_oldest_text_and_a_new_one_has_both() -> None:
    encoder = Counted()
    prompts = PromptEncoder(encoder)
    for index in range(KEPT_TEXTS):
        prompts.take([f"part {index}"], needed=False)
    assert len(prompts.take(["part 0", "one more"], needed=False) or []) == 2
    assert encoder.count == KEPT_TEXTS + 1


def test_texts_of_long_ago_are_let_go_but_none_that_is_wanted() -> None:
    encoder = Counted()
    prompts = PromptEncoder(encoder)
    many = [f"part {index}" for index in range(KEPT_TEXTS + 3)]
    for _ in range(3):
        assert len(prompts.take(many, needed=False) or []) == len(many)
    assert encoder.count == len(many)
    prompts.take(["other"], needed=False)
    prompts.take(many[:1], needed=False)
    assert encoder.count == len(many) + 2


def test_an_unknown_mode_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="unknown prompt mode 'soon'; there are: wait, beside"):
        PromptEncoder(WordLengths(), "soon")
