"""Which control a hand has just moved, and what kind of control it is. Pure; times are in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from osc_schema import Parameter
from streamvace.midi.controls import Control, Controls
from streamvace.midi.encoders import ENCODINGS, SURE, guess
from streamvace.midi.map_format import PREFIX, Entry
from streamvace.midi.mapping import lasting_name, told
from streamvace.midi.messages import Message

SETTLED_S: Final = 0.4
"""A control that has been still for so long was moved far enough."""
PERHAPS_S: Final = 2.0
"""The same where one step of an endless knob was heard, or a button: the next step may be long in coming."""
ENOUGH: Final = 24
"""Messages after which nobody needs to wait."""
PATIENCE_S: Final = 60.0
"""For so long nothing may be moved."""
HINT: Final = "move the control; turn an endless knob slowly to the left"

_MOST: Final = 256
_ALL_PAIRS: Final = frozenset(range(32))
_HALF: Final = 32


@dataclass(frozen=True)
class Learned:
    """A control that was moved. channel: 1..16. encoder: of an endless knob, else empty. button: whether it is a
    controller that was pressed. touch: the note that the fader sends when it is touched."""

    device: str
    channel: int
    control: Control
    encoder: str = ""
    button: bool = False
    touch: Control | None = None

    def __str__(self) -> str:
        return told(lasting_name(self.device), self.channel, self.control)


@dataclass(frozen=True)
class Wish:
    """What a control is learned for. row: the parameter. value: what a press sends; None for what the parameter takes
    by itself."""

    row: Parameter
    value: object = None

    def added(self, entries: Sequence[Entry], *, found: Learned) -> list[Entry]:
        """The rows of a map with one for this control, instead of those that did the same to the same parameter."""
        kept = [each for each in entries if not (_is_of(each, self.row) and each.get("value") == self.value)]
        return [*kept, self._entry(found)]

    def _entry(self, found: Learned) -> Entry:
        entry: dict[str, object] = {
            "device": lasting_name(found.device),
            "channel": found.channel,
            "control": str(found.control),
            "to": self.row.name,
        }
        if found.encoder:
            entry["encoder"] = found.encoder
        if self.value is not None:
            entry["value"] = self.value
        elif found.button and self.row.type != "trigger":
            entry["press"] = "toggle" if self.row.type == "bool" else "momentary"
        if found.touch is not None:
            entry["touch"] = str(found.touch)
        return entry


def without(entries: Sequence[Entry], *, row: Parameter) -> list[Entry]:
    """The rows of a map without those of a parameter."""
    return [each for each in entries if not _is_of(each, row)]


def _is_of(entry: Entry, row: Parameter) -> bool:
    return str(entry.get("to")).removeprefix(PREFIX) == row.name


class Learner:
    """Listens until a control was moved."""

    def __init__(self, now: float) -> None:
        self._began = now
        self._last: float | None = None
        self._controls: dict[int, Controls] = {}
        self._heard: dict[tuple[int, int, Control], list[int]] = {}
        self._names: dict[int, str] = {}
        self._count = 0

    def take(self, port: int, device: str, when: float, message: Message) -> None:
        """A message of a device."""
        controls = self._controls.setdefault(port, Controls(_ALL_PAIRS))
        self._names[port] = device
        for event in controls.take(when, message):
            if self._count < _MOST:
                self._count += 1
                self._heard.setdefault((port, event.channel, event.control), []).append(event.raw)
                self._last = when

    def gave_up(self, now: float) -> bool:
        """Whether nothing was moved for too long."""
        return self._last is None and now - self._began > PATIENCE_S

    def found(self, now: float) -> Learned | None:
        """The control, once it is clear which."""
        if self._last is None:
            return None
        port, channel, control = self._moved()
        raws = self._heard[port, channel, control]
        settles_s = PERHAPS_S if control.kind == "cc" and _may_go_on(raws) else SETTLED_S
        if len(raws) < ENOUGH and now - self._last < settles_s:
            return None
        encoder = guess(raws) if control.kind == "cc" else ""
        notes = [each for heard, _, each in self._heard if heard == port and each.kind == "note"]
        return Learned(
            self._names[port],
            channel,
            control,
            encoder,
            button=control.kind == "cc" and not encoder and set(raws) <= {0, 127},
            touch=notes[0] if notes and control.kind != "note" else None,
        )

    def wait(self, now: float) -> float:
        """Seconds until `found` or `gave_up` may say something else."""
        return PATIENCE_S - (now - self._began) if self._last is None else SETTLED_S / 4

    def _moved(self) -> tuple[int, int, Control]:
        """The control that was moved. A value of two messages is meant rather than its halves, and what moves rather
        than the note of a finger that touches it."""
        named = [key for key in self._heard if key[2].kind == "nrpn"]
        wide = [key for key in self._heard if self._has_halves(key)]
        moving = [key for key, raws in self._heard.items() if key[2].kind in ("cc", "bend") and len(raws) >= SURE]
        return max(named or wide or moving or self._heard, key=lambda key: len(self._heard[key]))

    def _has_halves(self, key: tuple[int, int, Control]) -> bool:
        port, channel, control = key
        if control.kind != "cc14":
            return False
        halves = (Control("cc", control.number), Control("cc", control.number + _HALF))
        return all(len(self._heard.get((port, channel, half), ())) >= 2 for half in halves)


def _may_go_on(raws: list[int]) -> bool:
    """Whether these may be the first steps of an endless knob."""
    return len(raws) < SURE and any(all(steps(raw) == -1 for raw in raws) for steps in ENCODINGS.values())
