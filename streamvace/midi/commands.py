"""The triggers of MIDI: learn, cancel, forget."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from osc_schema import Parameter
from streamvace.control.coercion import coerce, expectation, show
from streamvace.control.commands import Arguments, button_pressed
from streamvace.midi.desk import Desk
from streamvace.midi.learn import Wish
from streamvace.midi.map_format import full_address, takes_control
from streamvace.system.errors import UserError

MIDI: Final = "/streamvace/midi"


def midi_commands(
    desk: Desk, schema: Mapping[str, Parameter], is_open: Callable[[], bool]
) -> Mapping[str, Callable[[Arguments], None]]:
    """What each trigger does, by address. is_open: whether MIDI devices are wanted."""

    def learn(arguments: Arguments) -> None:
        if len(arguments) not in (1, 2):
            raise UserError(f"takes an address and an optional value, got {show(arguments)}")
        wish = _wish(schema, arguments)
        if not is_open():
            raise UserError(f"no MIDI device is open; set {MIDI}/input to all, or to a part of a device's name")
        desk.learn(wish)

    def cancel(arguments: Arguments) -> None:
        if button_pressed(arguments):
            desk.cancel()

    def forget(arguments: Arguments) -> None:
        if len(arguments) != 1:
            raise UserError(f"takes an address, got {show(arguments)}")
        desk.forget(_row(schema, arguments[0]))

    return {f"{MIDI}/learn": learn, f"{MIDI}/cancel": cancel, f"{MIDI}/forget": forget}


def _wish(schema: Mapping[str, Parameter], arguments: Arguments) -> Wish:
    row = _row(schema, arguments[0])
    if len(arguments) == 1:
        if not takes_control(row):
            raise UserError(f"{row.name} takes {expectation(row)}; name the value after the address")
        return Wish(row)
    coerced = coerce(row, arguments[1:])
    if coerced.status != "set":
        raise UserError(f"{row.name} takes {expectation(row)}, got {show(arguments[1])}")
    return Wish(row, coerced.value)


def _row(schema: Mapping[str, Parameter], given: object) -> Parameter:
    row = schema.get(full_address(given)) if isinstance(given, str) else None
    if row is None or row.access == "read":
        raise UserError(f"there is no parameter {show(given)}")
    return row
