"""What devices are told: LED rings and motor faders show the values of their parameters. Pure; times are in seconds.

All values are told when a device is opened, then each that changes, whoever changes it. A control that a hand is on is
told nothing; once it is let go, it is told the value that rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from osc_schema import Value
from streamvace.midi.controls import Control, Event
from streamvace.midi.mapping import Mapping, is_meant

HELD_S: Final = 0.5
"""How long after its last move a hand counts as on a control that cannot feel one."""
PRESSED_S: Final = 0.05
"""The same for a button: by then the parameter has the value of the press."""
ECHO_S: Final = 0.03
"""What comes back unchanged within this is an echo of the device or of a loop, and no hand."""
AGAIN_S: Final = 0.02
"""Between two tellings: a fade moves a ring smoothly, and a MIDI cable is not filled."""
MOST: Final = 64
"""Controls told at once."""


@dataclass
class _Told:
    """One control of one device. shown: the bytes that it shows; None if unknown."""

    port: int
    mapping: Mapping
    channel: int
    shown: bytes | None = None
    due: bool = True
    touched: bool = False
    quiet_until: float = 0.0
    sent_at: float = float("-inf")


@dataclass
class Feedback:
    """Tells the devices of one map. held: reads the value of a parameter."""

    mappings: Sequence[Mapping]
    held: Callable[[str], Value]
    _told: list[_Told] = field(default_factory=list)
    _next: float = 0.0

    def opened(self, port: int, device: str) -> None:
        """A device is there, and shows anything."""
        self._told += [
            _Told(port, mapping, mapping.channel or 1)
            for mapping in self.mappings
            if mapping.feedback and is_meant(device, mapping.device) and _value_of(mapping, self.held) is not None
        ]

    def closed(self, port: int) -> None:
        """A device is gone."""
        self._told = [told for told in self._told if told.port != port]

    def changed(self, address: str) -> None:
        """A parameter has another value."""
        for told in self._told:
            told.due = told.due or told.mapping.to == address

    def moved(self, port: int, when: float, event: Event) -> None:
        """A control was moved or touched."""
        for told in self._told:
            if told.port != port or told.mapping.channel not in (0, event.channel):
                continue
            if event.control == told.mapping.touch:
                told.touched = event.position > 0
            elif event.control == told.mapping.control:
                told.channel = event.channel
                told.due = True
                if told.mapping.press:  # its own light may have changed with the press
                    told.shown, told.quiet_until = None, when + PRESSED_S
                elif not told.mapping.encoder:  # the ring around an endless knob moves with it
                    told.quiet_until = when + HELD_S
                    told.shown = message(event.control, event.channel, event.position)

    def is_echo(self, port: int, when: float, event: Event) -> bool:
        """Whether this is what the device has just been told. An endless knob sends steps, which are no echo."""
        return any(
            told.port == port
            and told.mapping.control == event.control
            and not told.mapping.encoder
            and when - told.sent_at <= ECHO_S
            and told.shown == message(event.control, event.channel, event.position)
            for told in self._told
        )

    def due(self, now: float) -> list[tuple[int, bytes]]:
        """What is to be sent now: ports and single messages, which is what the drivers of Windows take."""
        if now < self._next:
            return []
        found: list[tuple[int, bytes]] = []
        controls = 0
        for told in self._told:
            if not told.due or told.touched or now < told.quiet_until or controls == MOST:
                continue
            told.due = False
            position = _value_of(told.mapping, self.held)
            data = message(told.mapping.control, told.channel, 0.0 if position is None else position)
            if data != told.shown:
                told.shown, told.sent_at = data, now
                found += [(told.port, data[i : i + 3]) for i in range(0, len(data), 3)]
                controls += 1
        if found:
            self._next = now + AGAIN_S
        return found

    def wait(self, now: float) -> float | None:
        """Seconds until something is due; None if nothing is."""
        times = [told.quiet_until for told in self._told if told.due and not told.touched]
        return max(0.0, min(times) - now, self._next - now) if times else None


def _value_of(mapping: Mapping, held: Callable[[str], Value]) -> float | None:
    """The position that shows the value of a parameter, 0..1; None for an action, which has none."""
    if mapping.row.type == "trigger":
        return None
    value = held(mapping.to)
    if mapping.value is not None:
        return float(value == mapping.value)
    return None if mapping.shape is None else mapping.shape.position(value)


def message(control: Control, channel: int, position: float) -> bytes:
    """The bytes that put a control at a position, 0..1. channel: 1..16."""
    low = channel - 1
    seven, fourteen = round(position * 127), round(position * 0x3FFF)
    coarse, fine = fourteen >> 7, fourteen & 127
    if control.kind == "bend":
        return bytes([0xE0 | low, fine, coarse])
    if control.kind == "note":
        return bytes([0x90 | low, control.number, seven])
    if control.kind == "cc14":
        return bytes([0xB0 | low, control.number, coarse, 0xB0 | low, control.number + 32, fine])
    if control.kind == "nrpn":
        named = ((99, control.number >> 7), (98, control.number & 127), (6, coarse), (38, fine))
        return bytes(byte for pair in named for byte in (0xB0 | low, *pair))
    return bytes([0xB0 | low, control.number, seven])
