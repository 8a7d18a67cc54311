"""What a map makes of the controls: the messages for the parameters. Pure; times are in seconds.

Positions and presses come in with `take`; what is to be sent comes out of `due`, of each fader only the newest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import osc_schema
from osc_schema import Value
from streamvace.midi.controls import Control, Event
from streamvace.midi.encoders import ENCODINGS, Acceleration
from streamvace.midi.mapping import RECALL, Mapping
from streamvace.midi.takeover import TAKEOVERS, Takeover

Sent = tuple[str, tuple[object, ...]]
"""An address and its arguments."""

MOST_PRESSES: Final = 64
"""Presses between two calls of `due`; a flood of them plays no show."""
GLIDE_S: Final = 0.02
"""Between two steps of a smoothed value."""

_ARRIVED: Final = 1e-3
_REST_S: Final = 0.5
"""After a rest as long as this, an endless knob starts from what the parameter holds."""


@dataclass
class _Hand:
    """A row and one device: what the control did last.

    mine: the position that was last set from here; None once something else has changed the parameter.
    """

    takeover: Takeover
    acceleration: Acceleration
    mine: float | None = None
    raw: int | None = None
    down: bool = False
    at: float = 0.0


@dataclass
class _Glide:
    """A smoothed value on its way. now, target: positions."""

    mapping: Mapping
    now: float
    target: float
    at: float


@dataclass
class Player:
    """Plays one map.

    held: reads the value of a parameter, or the one that it gets on the beat. cues: reads the names of all cues, in
    order. complain: gets one line.
    dropped: presses that were too many.
    """

    mappings: Sequence[Mapping]
    held: Callable[[str], Value]
    cues: Callable[[], Sequence[str]]
    complain: Callable[[str], None]
    dropped: int = 0
    _by_control: dict[Control, list[tuple[int, Mapping]]] = field(default_factory=dict)
    _hands: dict[tuple[int, int], _Hand] = field(default_factory=dict)
    _glides: dict[int, _Glide] = field(default_factory=dict)
    _values: dict[str, tuple[object, ...]] = field(default_factory=dict)
    _presses: list[Sent] = field(default_factory=list)

    def __post_init__(self) -> None:
        for place, mapping in enumerate(self.mappings):
            self._by_control.setdefault(mapping.control, []).append((place, mapping))

    def take(self, port: int, device: str, when: float, event: Event) -> None:
        """A control has moved."""
        for place, mapping in self._by_control.get(event.control, ()):
            if mapping.hears(device, event.channel):
                hand = self._hand(place, port)
                self._move(place, mapping, hand, when, event)
                hand.raw, hand.down, hand.at = event.raw, _is_down(event), when

    def others_moved(self, address: str) -> None:
        """Something else has changed this parameter."""
        for (place, _), hand in self._hands.items():
            if self.mappings[place].to == address:
                hand.mine = None
                hand.takeover.others_moved()
        for place in [place for place, glide in self._glides.items() if glide.mapping.to == address]:
            del self._glides[place]

    @property
    def gliding(self) -> bool:
        """Whether smoothed values are on their way."""
        return bool(self._glides)

    def due(self, now: float) -> list[Sent]:
        """What is to be sent now."""
        for place, glide in tuple(self._glides.items()):
            self._step(place, glide, now)
        sent = [*self._values.items(), *self._presses]
        self._values, self._presses = {}, []
        return sent

    def _hand(self, place: int, port: int) -> _Hand:
        mapping = self.mappings[place]
        if (place, port) not in self._hands:
            takeover = TAKEOVERS[mapping.takeover]()
            self._hands[place, port] = _Hand(takeover, Acceleration(mapping.acceleration))
        return self._hands[place, port]

    def _move(self, place: int, mapping: Mapping, hand: _Hand, when: float, event: Event) -> None:
        if event.control.kind == "program":
            self._recall(event.raw + 1)
        elif mapping.press:
            self._press(mapping, hand, event)
        elif mapping.shape is not None and mapping.encoder:
            self._turn(place, mapping, hand, when, event)
        elif mapping.shape is not None:
            self._slide(place, mapping, hand, when, event)

    def _recall(self, number: int) -> None:
        cues = self.cues()
        if number > len(cues):
            self.complain(f"program {number}: there are {len(cues)} cues")
            return
        self._send_press(RECALL, (cues[number - 1],))

    def _press(self, mapping: Mapping, hand: _Hand, event: Event) -> None:
        down = _is_down(event)
        # Some buttons send no release, so the same number again is a press again.
        begins = down and (not hand.down or event.raw == hand.raw or event.control.kind == "note")
        if mapping.press == "momentary":
            if down != hand.down or begins:
                self._hold(mapping, 1.0 if down else 0.0)
        elif begins and mapping.press == "toggle":
            shape = mapping.shape
            assert shape is not None
            self._hold(mapping, 0.0 if shape.position(self._newest(mapping)) >= 0.5 else 1.0)
        elif begins:
            self._send_press(mapping.to, () if mapping.value is None else osc_schema.flat(mapping.value))

    def _newest(self, mapping: Mapping) -> Value:
        """The value that the parameter holds, or gets with the next `due`."""
        waiting = self._values.get(mapping.to)
        return waiting[0] if waiting else self.held(mapping.to)  # type: ignore[return-value]

    def _turn(self, place: int, mapping: Mapping, hand: _Hand, when: float, event: Event) -> None:
        shape = mapping.shape
        assert shape is not None
        if hand.mine is None or when - hand.at > _REST_S:
            hand.mine = shape.position(self._newest(mapping))
        steps = hand.acceleration.moved(when, ENCODINGS[mapping.encoder](event.raw))
        way = abs(shape.high - shape.low)
        one = mapping.step / way if mapping.step and way else 1 / shape.steps
        hand.mine = min(max(hand.mine + steps * one, 0.0), 1.0)
        if shape.row.type == "float":
            self._go(place, mapping, hand.mine, when)
            return
        # A step of a choice is a band further, whatever the width of the bands.
        nearest = (
            shape.position(shape.value(hand.mine)) if mapping.step else round(hand.mine * shape.steps) / shape.steps
        )
        self._hold(mapping, nearest)

    def _slide(self, place: int, mapping: Mapping, hand: _Hand, when: float, event: Event) -> None:
        shape = mapping.shape
        assert shape is not None
        held = self._newest(mapping)
        stands = hand.mine if hand.mine is not None else shape.position(held)
        if hand.mine is None and shape.row.type != "float" and shape.value(event.position) == held:
            stands = event.position  # anywhere in the band of the value is where the value is
        found = hand.takeover.take(when, event.position, stands)
        if found is not None:
            hand.mine = found
            self._go(place, mapping, found, when)

    def _go(self, place: int, mapping: Mapping, position: float, when: float) -> None:
        shape = mapping.shape
        assert shape is not None
        if not mapping.smooth or shape.row.type != "float":
            self._hold(mapping, position)
        elif place in self._glides:
            self._glides[place].target = position
        else:
            self._glides[place] = _Glide(mapping, shape.position(self._newest(mapping)), position, when)

    def _step(self, place: int, glide: _Glide, now: float) -> None:
        """Exponential: after `smooth` seconds, 95 % of the way is done."""
        gone = max(0.0, now - glide.at)
        glide.at = now
        glide.now = glide.target + (glide.now - glide.target) * math.exp(-3 * gone / glide.mapping.smooth)
        if abs(glide.now - glide.target) < _ARRIVED:
            glide.now = glide.target
            del self._glides[place]
        self._hold(glide.mapping, glide.now)

    def _hold(self, mapping: Mapping, position: float) -> None:
        shape = mapping.shape
        assert shape is not None
        value = shape.value(position)
        if shape.row.type == "float" or value != self._newest(mapping):
            self._values[mapping.to] = (value,)

    def _send_press(self, address: str, arguments: tuple[object, ...]) -> None:
        if len(self._presses) >= MOST_PRESSES:
            self.dropped += 1
            return
        self._presses.append((address, arguments))


def _is_down(event: Event) -> bool:
    return event.position > 0 if event.control.kind == "note" else event.position >= 0.5
