"""What LED rings and motor faders are told."""

from __future__ import annotations

from typing import Any

import pytest

from osc_schema import Value
from streamvace.midi.controls import Control, Controls, Event
from streamvace.midi.feedback import AGAIN_S, HELD_S, Feedback, message
from streamvace.midi.messages import Parser
from tests.midi.rows import mapped


class Table:
    """A map, and what its devices are told."""

    def __init__(self, *entries: dict[str, Any], **held: Value) -> None:
        self.held = {f"/streamvace/{name}": value for name, value in held.items()}
        self.feedback = Feedback(mapped(*({"feedback": True, **entry} for entry in entries)), self.held.__getitem__)
        self.now = 10.0

    def told(self) -> list[tuple[int, tuple[int, ...]]]:
        self.now += AGAIN_S * 1.5
        return [(port, tuple(data)) for port, data in self.feedback.due(self.now)]

    def set(self, name: str, value: Value) -> None:
        self.held[f"/streamvace/{name}"] = value
        self.feedback.changed(f"/streamvace/{name}")

    def move(self, control: Control, raw: int, channel: int = 1) -> None:
        self.feedback.moved(0, self.now, Event(control, channel, raw, raw / 127))


KNOB = Control("cc", 7)


def test_a_device_that_opens_is_told_every_value_and_then_what_changes() -> None:
    table = Table(
        {"device": "twist", "channel": 2, "control": "cc 7", "to": "level"},
        {"control": "note 1", "to": "on"},
        level=1.0,
        on=True,
    )
    table.feedback.opened(3, "Twister")
    assert table.told() == [(3, (0xB1, 7, 64)), (3, (0x90, 1, 127))]
    assert table.told() == []
    table.set("level", 2.0)
    assert table.told() == [(3, (0xB1, 7, 127))]
    table.feedback.opened(4, "Keys")
    assert table.told() == [(4, (0x90, 1, 127))]
    table.feedback.closed(3)
    table.set("level", 0.0)
    assert table.told() == []


def test_only_rows_with_feedback_are_told() -> None:
    table = Table({"control": "cc 7", "to": "level", "feedback": False}, level=1.0)
    table.feedback.opened(0, "Keys")
    assert table.told() == []
    assert table.feedback.wait(table.now) is None


def test_a_fader_under_a_hand_is_told_nothing_and_then_the_value_that_rules() -> None:
    table = Table({"control": "cc 7", "to": "level"}, level=0.0)
    table.feedback.opened(0, "Keys")
    assert table.told() == [(0, (0xB0, 7, 0))]
    table.move(KNOB, 100)
    table.set("level", 200 / 127)
    table.now += HELD_S
    assert table.told() == [], "it stands there already"
    table.move(KNOB, 101)
    table.set("level", 2.0)
    assert table.told() == []
    assert table.feedback.wait(table.now) == pytest.approx(HELD_S - 1.5 * AGAIN_S)
    table.now += HELD_S
    assert table.told() == [(0, (0xB0, 7, 127))]


def test_a_fader_that_feels_a_hand_is_quiet_for_as_long_as_it_does() -> None:
    table = Table({"control": "bend", "touch": "note 104", "to": "level"}, level=0.0)
    table.feedback.opened(0, "Motor")
    table.told()
    table.move(Control("note", 104), 127)
    table.now += 60.0
    table.set("level", 2.0)
    assert table.told() == []
    assert table.feedback.wait(table.now) is None
    table.move(Control("note", 104), 0)
    assert table.told() == [(0, (0xE0, 127, 127))]


def test_the_ring_around_an_endless_knob_moves_with_it() -> None:
    table = Table({"control": "cc 7", "to": "level", "encoder": "twos_complement"}, level=0.0)
    table.feedback.opened(0, "Twister")
    table.told()
    table.move(KNOB, 1)
    table.set("level", 1.0)
    assert table.told() == [(0, (0xB0, 7, 64))]


def test_the_light_of_a_button_is_told_after_every_press() -> None:
    table = Table(
        {"control": "note 1", "to": "on"}, {"control": "note 2", "to": "text", "value": "red"}, on=False, text="red"
    )
    table.feedback.opened(0, "Pads")
    assert table.told() == [(0, (0x90, 1, 0)), (0, (0x90, 2, 127))]
    table.move(Control("note", 1), 127)
    table.now += 1.0
    assert table.told() == [(0, (0x90, 1, 0))], "the button may have lit itself"


def test_a_row_for_every_channel_answers_on_the_channel_that_it_hears() -> None:
    table = Table({"control": "cc 7", "to": "level"}, level=0.0)
    table.feedback.opened(0, "Keys")
    table.told()
    table.move(KNOB, 5, channel=9)
    table.now += HELD_S
    assert table.told() == [(0, (0xB8, 7, 0))]


def test_actions_have_no_value_to_tell() -> None:
    table = Table({"control": "note 1", "to": "go"}, {"control": "program", "to": "cue/recall"})
    table.feedback.opened(0, "Pads")
    assert table.told() == []


def test_a_fade_is_told_at_most_so_often() -> None:
    table = Table({"control": "cc 7", "to": "level"}, level=0.0)
    table.feedback.opened(0, "Keys")
    table.told()
    sent = 0
    for number in range(100):
        table.set("level", number / 50)
        table.now += AGAIN_S / 10
        sent += len(table.feedback.due(table.now))
    assert 8 <= sent <= 11


@pytest.mark.parametrize("control", ["cc 7", "cc14 7", "nrpn 300", "bend", "note 60"])
def test_what_a_control_is_told_it_would_say_itself(control: str) -> None:
    (mapping,) = mapped({"control": control, "to": "level"})
    data = message(mapping.control, 3, 0.75)
    heard = Controls(frozenset({7}))
    events = [event for each in Parser().feed(data) for event in heard.take(0.0, each)]
    assert (events[-1].control, events[-1].channel) == (mapping.control, 3)
    assert events[-1].position == pytest.approx(0.75, abs=0.005)
