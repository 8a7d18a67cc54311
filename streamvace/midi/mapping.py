"""One row of a map: which control of which device does what to which parameter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from osc_schema import Parameter, Value
from streamvace.midi.controls import Control
from streamvace.midi.shape import Shape

RECALL: Final = "/streamvace/cue/recall"
"""What a program change does: program n recalls cue n, both counted from 1."""

Press = Literal["", "trigger", "toggle", "momentary"]

_CLIENT: Final = ":"
"""ALSA ends the name of a device with two numbers, `20:0`, that are others after it was plugged in again."""


@dataclass(frozen=True)
class Mapping:
    """One row.

    row: the parameter. control: what moves it. device: a part of the device's name in any case; empty for every one.
    channel: 1..16, or 0 for every one.
    shape: how a fader or an endless knob covers the range; None for what is only pressed.
    press: how a button works; empty for a fader. value: what a press sends, None for what the row takes by itself.
    encoder: one of `encoders.ENCODINGS`; empty for a control that sends its position. step: of one step of it, in the
    terms of the parameter; 0 for the usual. acceleration: see `encoders.Acceleration`.
    smooth: seconds in which a float follows the control. takeover: one of `takeover.TAKEOVERS`. feedback: whether the
    device is told the value. touch: the note of a fader that feels a hand.
    """

    row: Parameter
    control: Control
    device: str = ""
    channel: int = 0
    shape: Shape | None = None
    press: Press = ""
    value: Value | None = None
    encoder: str = ""
    step: float = 0.0
    acceleration: float = 0.0
    smooth: float = 0.0
    takeover: str = "none"
    feedback: bool = False
    touch: Control | None = None

    @property
    def to(self) -> str:
        """The address of the parameter."""
        return self.row.address

    def hears(self, device: str, channel: int) -> bool:
        """Whether this device and channel are meant."""
        return is_meant(device, self.device) and self.channel in (0, channel)

    def __str__(self) -> str:
        """`Twister, channel 2, cc 7`."""
        return told(self.device, self.channel, self.control)


def told(device: str, channel: int, control: Control) -> str:
    """A control as people read it; without a device or a channel for every one."""
    return ", ".join(filter(None, (device, f"channel {channel}" if channel else "", str(control))))


def is_meant(device: str, part: str) -> bool:
    """Whether a part of a name, in any case, means this device."""
    return part.casefold() in device.casefold()


def lasting_name(device: str) -> str:
    """The part of a device's name that stays the same when it is plugged in again."""
    name, _, number = device.rpartition(" ")
    client, colon, port = number.partition(_CLIENT)
    return name if colon and client.isdecimal() and port.isdecimal() and name else device


def conflicts(mappings: Sequence[Mapping]) -> dict[int, tuple[int, ...]]:
    """The rows that share a control with others, and those others, by their places. Both do what they say."""
    by_number: dict[Control, list[int]] = {}
    for place, mapping in enumerate(mappings):
        for control in _parts(mapping.control):
            by_number.setdefault(control, []).append(place)
    found: dict[int, set[int]] = {}
    for places in by_number.values():
        for i, first in enumerate(places):
            for second in places[i + 1 :]:
                if _overlap(mappings[first], mappings[second]):
                    found.setdefault(first, set()).add(second)
                    found.setdefault(second, set()).add(first)
    return {place: tuple(sorted(others)) for place, others in sorted(found.items())}


def _parts(control: Control) -> Iterable[Control]:
    """The messages that a control consists of."""
    if control.kind == "cc14":
        return Control("cc", control.number), Control("cc", control.number + 32)
    return (control,)


def _overlap(one: Mapping, other: Mapping) -> bool:
    channels = not one.channel or not other.channel or one.channel == other.channel
    return channels and (is_meant(one.device, other.device) or is_meant(other.device, one.device))
