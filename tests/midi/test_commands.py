"""The triggers of MIDI: what they take, and what they refuse with which words."""

from __future__ import annotations

from typing import Any, cast

import pytest

from osc_schema import Parameter
from streamvace.midi.commands import midi_commands
from streamvace.midi.desk import Desk
from streamvace.midi.learn import Wish
from streamvace.system.errors import UserError
from tests.midi.rows import SCHEMA


class Asked:
    """What a desk is asked for."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.asked: list[object] = []
        self._commands = midi_commands(cast(Desk, self), SCHEMA, lambda: is_open)

    def learn(self, wish: Wish) -> None:
        self.asked.append(wish)

    def cancel(self) -> None:
        self.asked.append("cancel")

    def forget(self, row: Parameter) -> None:
        self.asked.append(row.name)

    def send(self, name: str, *arguments: object) -> None:
        self._commands[f"/streamvace/midi/{name}"](arguments)


def test_a_parameter_is_named_with_or_without_its_root() -> None:
    desk = Asked()
    desk.send("learn", "level")
    desk.send("learn", "/streamvace/go")
    desk.send("learn", "cue/recall")
    desk.send("learn", "cue/recall", "dusk")
    desk.send("learn", "count", 2.0)
    rows = [SCHEMA[f"/streamvace/{name}"] for name in ("level", "go", "cue/recall", "cue/recall", "count")]
    assert desk.asked == [Wish(row, value) for row, value in zip(rows, (None, None, None, "dusk", 2), strict=True)]


def test_cancel_and_forget_do_what_they_say() -> None:
    desk = Asked()
    desk.send("cancel")
    desk.send("cancel", 0.0)
    desk.send("forget", "level")
    assert desk.asked == ["cancel", "level"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nothing",), "there is no parameter 'nothing'"),
        (("shown",), "there is no parameter 'shown'"),
        ((7,), "there is no parameter 7"),
        ((), "takes an address and an optional value"),
        (("text",), "takes one string of at most 20 characters; name the value after the address"),
        (("count", 9), "count takes one int 1..4, got 9"),
    ],
)
def test_what_cannot_be_learned_is_refused(arguments: tuple[Any, ...], said: str) -> None:
    desk = Asked()
    with pytest.raises(UserError, match=said):
        desk.send("learn", *arguments)
    assert desk.asked == []


def test_without_devices_nothing_is_learned_but_rows_can_be_forgotten() -> None:
    desk = Asked(is_open=False)
    with pytest.raises(UserError, match="no MIDI device is open; set /streamvace/midi/input to all"):
        desk.send("learn", "level")
    desk.send("forget", "level")
    with pytest.raises(UserError, match="takes an address"):
        desk.send("forget")
    assert desk.asked == ["level"]
