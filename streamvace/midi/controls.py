"""MIDI messages to what a hand did: which knob, fader or button, and where it is. Pure; `when` is in seconds.

A value of 14 bits comes as two messages, the coarse half first. It is complete with the fine half; a device that leaves
the fine half out is heard a moment later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, get_args

from streamvace.midi.messages import Message

Kind = Literal["cc", "cc14", "nrpn", "bend", "note", "program"]
NUMBERS: Final[dict[Kind, int]] = {"cc": 127, "cc14": 31, "nrpn": 16383, "bend": 0, "note": 127, "program": 0}
"""The greatest number of a control of each kind; kinds with 0 have no number."""

FINE_S: Final = 0.01
"""How long a coarse half waits for its fine half: they are one millisecond apart on a MIDI cable."""

_DATA, _DATA_FINE, _UP, _DOWN, _NRPN_FINE, _NRPN, _RPN_FINE, _RPN = 6, 38, 96, 97, 98, 99, 100, 101
_FINE_HALF: Final = 32
"""From the number of a coarse controller to that of its fine half."""


class Control(NamedTuple):
    """A knob, fader or button of a device, as messages name it."""

    kind: Kind
    number: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.number}" if NUMBERS[self.kind] else self.kind


def parse_control(text: str) -> Control | None:
    """`cc 7`, `cc14 7`, `nrpn 300`, `note 60`, `bend` or `program`; None for anything else."""
    kind, _, number = text.strip().lower().partition(" ")
    number = number.strip()
    for known in get_args(Kind):
        if kind == known and (number.isdecimal() if NUMBERS[known] else not number):
            return Control(known, int(number or 0)) if int(number or 0) <= NUMBERS[known] else None
    return None


class Event(NamedTuple):
    """channel: 1..16. raw: the number that came. position: 0..1, of all that could come; a note's is its velocity, 0
    when it is released."""

    control: Control
    channel: int
    raw: int
    position: float


@dataclass
class _Halves:
    """The two halves of one value."""

    coarse: int | None = None
    waits: bool = False
    at: float = 0.0


@dataclass
class _Selected:
    """The parameter that a channel has named; None: none, or one that is registered and not ours."""

    coarse: int = 0
    fine: int = 0
    number: int | None = None
    value: int = 0


@dataclass
class Controls:
    """The controls of one device. pairs: the controllers, 0..31, that the map reads with 14 bits."""

    pairs: frozenset[int] = frozenset()
    _halves: dict[tuple[Control, int], _Halves] = field(default_factory=dict)
    _selected: dict[int, _Selected] = field(default_factory=dict)

    def take(self, when: float, message: Message) -> list[Event]:
        """What a message says; nothing for a message of no control."""
        kind, channel = message[0] & 0xF0, (message[0] & 0x0F) + 1
        if kind == 0xB0:
            return self._controller(when, channel, message[1], message[2])
        if kind in (0x80, 0x90):
            velocity = message[2] if kind == 0x90 else 0
            return [Event(Control("note", message[1]), channel, velocity, velocity / 127)]
        if kind == 0xE0:
            return [_wide(Control("bend"), channel, message[1] | message[2] << 7)]
        if kind == 0xC0:
            return [Event(Control("program"), channel, message[1], message[1] / 127)]
        return []

    def late(self, now: float) -> list[Event]:
        """The values whose fine half has not come."""
        found = []
        for (control, channel), halves in self._halves.items():
            if halves.waits and now - halves.at >= FINE_S:
                found.append(_only_coarse(control, channel, halves))
        return found

    @property
    def waits(self) -> bool:
        """Whether a value waits for its fine half."""
        return any(halves.waits for halves in self._halves.values())

    def _controller(self, when: float, channel: int, number: int, value: int) -> list[Event]:
        found = [Event(Control("cc", number), channel, value, value / 127)]
        if number in self.pairs:
            found += self._coarse(when, Control("cc14", number), channel, value)
        elif number - _FINE_HALF in self.pairs:
            found += self._fine(Control("cc14", number - _FINE_HALF), channel, value)
        return found + self._parameter(when, channel, number, value)

    def _parameter(self, when: float, channel: int, number: int, value: int) -> list[Event]:
        """NRPN: two controllers name a parameter, two others its value, and two move it by one."""
        named = self._selected.setdefault(channel, _Selected())
        if number in (_NRPN, _NRPN_FINE):
            named.coarse, named.fine = (value, named.fine) if number == _NRPN else (named.coarse, value)
            chosen = named.coarse << 7 | named.fine
            named.number = chosen if chosen != 0x3FFF else None
        elif number in (_RPN, _RPN_FINE):
            named.number = None
        elif named.number is not None:
            control = Control("nrpn", named.number)
            found: list[Event] = []
            if number == _DATA:
                found = self._coarse(when, control, channel, value)
            elif number == _DATA_FINE:
                found = self._fine(control, channel, value)
            elif number in (_UP, _DOWN):
                moved = min(max(named.value + (1 if number == _UP else -1), 0), 0x3FFF)
                found = [_wide(control, channel, moved)]
            named.value = found[-1].raw if found else named.value
            return found
        return []

    def _coarse(self, when: float, control: Control, channel: int, value: int) -> list[Event]:
        halves = self._halves.setdefault((control, channel), _Halves())
        found = [_only_coarse(control, channel, halves)] if halves.waits else []
        halves.coarse, halves.waits, halves.at = value, True, when
        return found

    def _fine(self, control: Control, channel: int, value: int) -> list[Event]:
        halves = self._halves.setdefault((control, channel), _Halves())
        if halves.coarse is None:
            return []
        halves.waits = False
        return [_wide(control, channel, halves.coarse << 7 | value)]


def _wide(control: Control, channel: int, raw: int) -> Event:
    return Event(control, channel, raw, raw / 0x3FFF)


def _only_coarse(control: Control, channel: int, halves: _Halves) -> Event:
    """The value of a coarse half alone. All the way up is all the way up."""
    halves.waits = False
    coarse = halves.coarse or 0
    return Event(control, channel, coarse << 7, coarse / 127)
