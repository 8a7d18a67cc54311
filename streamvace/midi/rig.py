"""One map and the devices that are there: what they do to the show, and what they are told. Pure; times in seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from osc_schema import Value
from streamvace.midi.controls import Controls, Event
from streamvace.midi.feedback import Feedback
from streamvace.midi.map_format import MidiMap
from streamvace.midi.mapping import conflicts, is_meant, lasting_name
from streamvace.midi.messages import Message
from streamvace.midi.player import GLIDE_S, Player, Sent


@dataclass
class _Device:
    name: str
    controls: Controls


class Rig:
    """A map in use."""

    def __init__(
        self,
        midi_map: MidiMap,
        held: Callable[[str], Value],
        asked: Callable[[str], Value],
        cues: Callable[[], Sequence[str]],
        complain: Callable[[str], None],
    ) -> None:
        """held: reads the value of a parameter. asked: the value that it holds or, if that waits for the beat, gets.
        cues: reads the names of all cues. complain: gets one line."""
        self.map = midi_map
        self.conflicts = conflicts(midi_map.mappings)
        self.addresses = frozenset(mapping.to for mapping in midi_map.mappings)
        self._player = Player(midi_map.mappings, asked, cues, complain)
        self._feedback = Feedback(midi_map.mappings, held)
        self._pairs = frozenset(each.control.number for each in midi_map.mappings if each.control.kind == "cc14")
        self._devices: dict[int, _Device] = {}

    @property
    def devices(self) -> dict[int, str]:
        """The names of the devices that are open, by port."""
        return {port: device.name for port, device in tuple(self._devices.items())}

    @property
    def dropped(self) -> int:
        """Presses that were too many."""
        return self._player.dropped

    def opened(self, port: int, name: str) -> None:
        """A device is there."""
        self._devices[port] = _Device(name, Controls(self._pairs))
        self._feedback.opened(port, name)

    def closed(self, port: int) -> None:
        """A device is gone."""
        self._devices.pop(port, None)
        self._feedback.closed(port)

    def events(self, port: int, when: float, message: Message) -> list[Event]:
        """What a message says; nothing for a device that is gone."""
        device = self._devices.get(port)
        return [] if device is None else device.controls.take(when, message)

    def late(self, now: float) -> list[tuple[int, Event]]:
        """The values whose second half has not come, by port."""
        return [(port, event) for port, device in self._devices.items() for event in device.controls.late(now)]

    def play(self, port: int, when: float, event: Event) -> None:
        """Do what the map says, unless this is an echo of what the device was told."""
        if self._feedback.is_echo(port, when, event):
            return
        self._player.take(port, self._devices[port].name, when, event)
        self._feedback.moved(port, when, event)

    def changed(self, address: str, *, mine: bool) -> None:
        """A parameter has another value. mine: by a message from here."""
        if not mine:
            self._player.others_moved(address)
        self._feedback.changed(address)

    def due(self, now: float) -> tuple[list[Sent], list[tuple[int, bytes]]]:
        """What is to be sent now: to the show, and to devices by port."""
        return self._player.due(now), self._feedback.due(now)

    def wait(self, now: float) -> float | None:
        """Seconds until something is due without a message; None if nothing is."""
        waits = [self._feedback.wait(now)]
        waits += [GLIDE_S / 4] if any(device.controls.waits for device in self._devices.values()) else []
        waits += [GLIDE_S] if self._player.gliding else []
        return min((wait for wait in waits if wait is not None), default=None)

    def missing(self) -> str:
        """The devices that the map names and that are not there, with those that are, in one line; or nothing."""
        names = tuple(self.devices.values())
        wanted = dict.fromkeys(mapping.device for mapping in self.map.mappings)
        missing = [part for part in wanted if not any(is_meant(name, part) for name in names)]
        named = " and ".join(repr(part) if part else "at all" for part in missing)
        there = ", ".join(map(lasting_name, names)) or "none"
        return f"no device {named} is open; open are: {there}" if missing else ""

    def told(self) -> str:
        """The map in a few words, with the first control that moves several parameters."""
        mappings = self.map.mappings
        shared = [
            f"{mappings[place]} moves {' and '.join(mappings[each].row.name for each in (place, *others))}"
            for place, others in self.conflicts.items()
            if place < others[0]
        ]
        rows = f"{len(mappings)} control{'s' * (len(mappings) != 1)}"
        more = f", and {len(shared) - 1} more do so" if len(shared) > 1 else ""
        return f"{rows}; {shared[0]}{more}" if shared else rows

    def rows(self) -> dict[str, list[dict[str, object]]]:
        """For the page: the controls of each address, see `Desk.state`."""
        names, mappings = tuple(self.devices.values()), self.map.mappings
        rows: dict[str, list[dict[str, object]]] = {}
        for place, mapping in enumerate(mappings):
            row = {
                "control": str(mapping),
                "there": any(is_meant(name, mapping.device) for name in names),
                "feedback": mapping.feedback,
                "shared": [mappings[other].to for other in self.conflicts.get(place, ())],
            }
            rows.setdefault(mapping.to, []).append(row)
        return rows
