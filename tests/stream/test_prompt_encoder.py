"""Promises of texts on their way to the network."""

from __future__ import annotations

import pytest

from streamvace.stream.prompt_encoder import KEPT_TEXTS, PromptEncoder
from streamvace.system.errors import UserError
from tests.networks import SlowEncoder, WordLengths


def test_what_is_at_hand_is_there_at_once_in_both_modes() -> None:
    for mode in ("wait", "beside"):
        (found,) = PromptEncoder(WordLengths(), mode).take(["red quux"], needed=False) or []
        assert found.unknown == ("quux",)
        assert found.embedding.shape[0] == 1


def test_waiting_gives_the_texts_with_the_first_question() -> None:
    encoder = SlowEncoder()
    encoder.let("red")
    encoder.let("blue")
    assert len(PromptEncoder(encoder, "wait").take(["red", "blue"], needed=False) or []) == 2


def test_a_new_text_is_encoded_beside_the_picture_and_told_once() -> None:
    encoder = SlowEncoder()
    desk = PromptEncoder(encoder, "beside")
    with encoder.running():
        assert desk.take(["red"], needed=False) is None
        assert desk.remarks() == ("prompt 'red' is being encoded, the old one stays until then",)
        assert desk.take(["red"], needed=False) is None
        assert desk.remarks() == ()
        encoder.let("red")
        encoder.wait_for("red")
        assert desk.take(["red"], needed=False) is not None
        assert desk.remarks() == ("prompt 'red' is encoded and on",)
        assert desk.remarks() == ()


def test_a_wish_that_is_taken_back_begins_nothing_more() -> None:
    encoder = SlowEncoder()
    desk = PromptEncoder(encoder, "beside")
    with encoder.running():
        assert desk.take(["red", "blue"], needed=False) is None
        encoder.wait_begun("red")
        desk.drop()
        encoder.let("red")
        encoder.wait_for("red")
        assert encoder.begun == ["red"]
        assert desk.remarks() == ()


def test_the_newest_wish_is_next_and_what_nobody_wants_any_more_is_not_begun() -> None:
    encoder = SlowEncoder()
    desk = PromptEncoder(encoder, "beside")
    with encoder.running():
        for text in ("one", "two", "three", "four"):
            assert desk.take([text], needed=False) is None
            encoder.wait_begun("one")
        encoder.let("one")
        encoder.let("four")
        encoder.wait_for("four")
        assert encoder.begun == ["one", "four"]
        assert desk.take(["four"], needed=False) is not None
        assert desk.take(["one"], needed=False) is not None  # it was made, so it is kept


def test_every_text_of_a_mix_must_be_there() -> None:
    encoder = SlowEncoder()
    desk = PromptEncoder(encoder, "beside")
    with encoder.running():
        encoder.let("red")
        assert desk.take(["red", "blue", "red"], needed=False) is None
        encoder.wait_begun("blue")
        assert desk.take(["red", "blue", "red"], needed=False) is None
        encoder.let("blue")
        encoder.wait_for("blue")
        assert len(desk.take(["red", "blue", "red"], needed=False) or []) == 3


def test_the_first_prompt_of_a_show_is_waited_for() -> None:
    encoder = SlowEncoder()
    encoder.let("red")
    assert PromptEncoder(encoder, "beside").take(["red"], needed=True) is not None


def test_a_text_that_cannot_be_encoded_is_told_in_one_line_and_tried_again_when_it_is_wished_anew() -> None:
    encoder = SlowEncoder()
    desk = PromptEncoder(encoder, "beside")
    with encoder.running():
        encoder.let("broken")
        assert desk.take(["broken"], needed=False) is None
        encoder.wait_begun("broken")
        encoder.join()
        assert desk.take(["broken"], needed=False) is None
        assert desk.remarks() == (
            "prompt 'broken' cannot be encoded, the old one stays: no room: 12.1 GB needed, 10.4 GB free",
        )
        assert desk.take(["broken"], needed=False) is None
        assert desk.remarks() == ()
        assert encoder.begun == ["broken"]
        encoder.let("red")
        desk.take(["red"], needed=False)
        encoder.wait_for("red")
        desk.take(["broken"], needed=False)
        encoder.join()
        assert encoder.begun == ["broken", "red", "broken"]


def test_while_waiting_a_fault_is_raised() -> None:
    encoder = SlowEncoder()
    encoder.let("broken")
    with pytest.raises(RuntimeError, match="no room"):
        PromptEncoder(encoder, "beside").take(["broken"], needed=True)


def test_a_long_prompt_is_told_by_its_beginning() -> None:
    encoder = SlowEncoder()
    desk = PromptEncoder(encoder, "beside")
    with encoder.running():
        desk.take(["a coral reef, volumetric light, slow camera, film grain"], needed=False)
        assert desk.remarks()[0].startswith("prompt 'a coral reef, volumetric light, slow ...' is")


def test_texts_of_long_ago_are_let_go_but_none_that_is_wanted() -> None:
    class Counted(WordLengths):
        count = 0

        def encode(self, prompts):  # type: ignore[no-untyped-def]
            self.count += 1
            return super().encode(prompts)

    encoder = Counted()
    desk = PromptEncoder(encoder)
    many = [f"part {index}" for index in range(KEPT_TEXTS + 3)]
    for _ in range(3):
        assert len(desk.take(many, needed=False) or []) == len(many)
    assert encoder.count == len(many)
    desk.take(["other"], needed=False)
    desk.take(many[:1], needed=False)
    assert encoder.count == len(many) + 2


def test_an_unknown_mode_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="unknown prompt mode 'soon'; there are: wait, beside"):
        PromptEncoder(WordLengths(), "soon")
