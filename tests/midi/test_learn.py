"""Which control was moved: each kind, as devices send it."""

from __future__ import annotations

import pytest

from streamvace.midi.controls import Control
from streamvace.midi.learn import PATIENCE_S, PERHAPS_S, SETTLED_S, Learned, Learner, Wish, without
from streamvace.midi.messages import Parser
from tests.midi.rows import SCHEMA

LEVEL, ON, GO, TEXT = (SCHEMA[f"/streamvace/{name}"] for name in ("level", "on", "go", "text"))


def heard(*data: int, device: str = "Keys", after: float = SETTLED_S) -> Learned | None:
    """What is learned from these bytes, 10 ms apart."""
    learner, now = Learner(100.0), 100.0
    for message in Parser().feed(bytes(data)):
        now += 0.01
        learner.take(0, device, now, message)
    return learner.found(now + after)


def test_a_fader_a_note_a_bend_and_a_program() -> None:
    assert heard(0xB2, 7, 64, 7, 65, 7, 66) == Learned("Keys", 3, Control("cc", 7))
    assert heard(0x90, 60, 100, 60, 0) == Learned("Keys", 1, Control("note", 60))
    assert heard(0xE4, 0, 64, 1, 65) == Learned("Keys", 5, Control("bend"))
    assert heard(0xC0, 5) == Learned("Keys", 1, Control("program"))


def test_nothing_is_learned_before_the_hand_is_still() -> None:
    assert heard(0xB0, 7, 64, 7, 65, 7, 66, after=SETTLED_S / 2) is None
    assert heard(after=9.0) is None


@pytest.mark.parametrize(
    ("raw", "encoder"), [(65, "signed_bit"), (1, "signed_bit_2"), (63, "binary_offset"), (127, "twos_complement")]
)
def test_an_endless_knob_that_is_turned_slowly_to_the_left(raw: int, encoder: str) -> None:
    assert heard(0xB0, *(7, raw) * 3) == Learned("Keys", 1, Control("cc", 7), encoder)
    assert heard(0xB0, 7, raw, after=PERHAPS_S / 2) is None, "the next step may be long in coming"


def test_a_button_that_is_a_controller() -> None:
    assert heard(0xB0, 20, 127, 20, 0) == Learned("Keys", 1, Control("cc", 20), button=True)
    assert heard(0xB0, 20, 127, after=PERHAPS_S) == Learned("Keys", 1, Control("cc", 20), button=True)


def test_fourteen_bits_and_nrpn_are_one_control() -> None:
    assert heard(0xB0, 7, 64, 39, 1, 7, 64, 39, 9, 7, 65, 39, 3) == Learned("Keys", 1, Control("cc14", 7))
    found = heard(0xB0, 99, 1, 98, 2, 6, 64, 38, 0, 99, 1, 98, 2, 6, 65, 38, 0)
    assert found == Learned("Keys", 1, Control("nrpn", 130))


def test_two_faders_whose_numbers_are_32_apart_are_no_fourteen_bits() -> None:
    assert heard(0xB0, 39, 5, 7, 64, 7, 65, 7, 66, 7, 67) == Learned("Keys", 1, Control("cc", 7))


def test_the_note_of_a_fader_that_feels_a_hand_is_its_touch() -> None:
    found = heard(0x90, *(104, 127, 104, 0) * 2, 104, 127, 0xE0, 0, 64, 1, 65, 2, 66, 0x90, 104, 0)
    assert found == Learned("Keys", 1, Control("bend"), touch=Control("note", 104))


def test_what_moves_most_is_meant() -> None:
    assert heard(0xB0, 1, 5, 7, 64, 7, 65, 7, 66, 7, 67, 1, 6, 1, 7) == Learned("Keys", 1, Control("cc", 7))


def test_a_hand_that_does_not_stop_is_not_waited_for() -> None:
    assert heard(0xB0, *(byte for value in range(30) for byte in (7, value)), after=0.0) is not None


def test_learning_ends_by_itself_when_nothing_is_moved() -> None:
    learner = Learner(100.0)
    assert not learner.gave_up(100.0 + PATIENCE_S)
    assert learner.gave_up(100.1 + PATIENCE_S)


def test_a_row_says_what_was_learned_and_replaces_the_one_before() -> None:
    found = Learned("Keys 20:0", 3, Control("cc", 7), button=True, touch=Control("note", 9))
    old = {"control": "cc 1", "to": "/streamvace/on"}
    other = {"control": "cc 2", "to": "level"}
    assert Wish(ON).added([old, other], found=found) == [
        other,
        {"device": "Keys", "channel": 3, "control": "cc 7", "to": "on", "press": "toggle", "touch": "note 9"},
    ]
    assert without([old, other], row=ON) == [other]


def test_a_value_of_ones_own_is_a_row_of_its_own() -> None:
    red, blue = (Wish(TEXT, name).added([], found=Learned("K", 1, Control("note", 1))) for name in ("red", "blue"))
    assert red == [{"device": "K", "channel": 1, "control": "note 1", "to": "text", "value": "red"}]
    both = Wish(TEXT, "blue").added(red, found=Learned("K", 1, Control("note", 1)))
    assert both == [*red, *blue]


@pytest.mark.parametrize(("row", "press"), [(LEVEL, "momentary"), (ON, "toggle"), (GO, None)])
def test_a_button_works_as_its_parameter_needs_it(row: object, press: str | None) -> None:
    (entry,) = Wish(row).added([], found=Learned("K", 1, Control("cc", 1), button=True))  # type: ignore[arg-type]
    assert entry.get("press") == press
