"""MIDI in a show: the devices that the parameter names, the clock and the timecode that they send, and the map."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from osc_schema import Value
from streamvace.control.midi_clock import MidiClock
from streamvace.control.parameters import Snapshot
from streamvace.control.show_clocks import Place
from streamvace.live.stage import Stage
from streamvace.midi.clock_input import ClockInput, TimecodeInput
from streamvace.midi.commands import midi_commands
from streamvace.midi.desk import Desk, Ways
from streamvace.midi.map_file import NAME, MapFile
from streamvace.midi.messages import Message
from streamvace.midi.midi_in import INPUT, MidiIn, check_package
from streamvace.midi.page_ports import PagePorts
from streamvace.osc.local_clients import LocalClients
from streamvace.osc.peer import MIDI, Peer, writer_name
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError

_LONGEST_LIST = 400
"""Characters of the names of devices in the status."""


class Midi:
    """The MIDI of a show.

    desk: the map. pages: the devices that pages bring. commands: what the triggers of MIDI do, by address.
    """

    def __init__(self, stage: Stage, clock: MidiClock, cue_file: Path, cues: Callable[[], Sequence[str]]) -> None:
        """cues: reads the names of the cues."""
        self._stage = stage
        self._clock = clock
        self._clients: tuple[LocalClients, Peer] | None = None
        self._waiting: Callable[[], Mapping[str, Value]] = dict
        self._file = MapFile(cue_file.with_name(NAME), stage.parameters.schema)
        ways = Ways(
            post=self._post,
            send=self._send,
            held=stage.parameters.snapshot,
            cues=cues,
            report=partial(stage.reporter.report, "MIDI map"),
            say=lambda line: stage.reporter.note("MIDI map", line, ""),
            waiting=lambda: self._waiting(),
        )
        self.desk = Desk(self._file, stage.parameters.schema, ways)
        self._timecode = TimecodeInput()
        ears = _Ears(clock, self._timecode, self.desk)
        self._midi = MidiIn(ears, partial(stage.reporter.report, "MIDI"))
        self.pages = PagePorts(ears, self._settle, lambda: self._midi.names)
        self.commands = midi_commands(self.desk, stage.parameters.schema, lambda: self._is_open)

    def play(self, clients: LocalClients, waiting: Callable[[], Mapping[str, Value]]) -> None:
        """Open the devices and follow their parameter until the show ends. clients: the way to the parameters. waiting:
        reads what they are set to on the next beat, by address.

        Raises UserError if devices are wanted and the package is not installed.
        """
        self._clients = clients, clients.open(self._answered, kind=MIDI)
        self._waiting = waiting
        for part in (self._midi, self.desk):
            self._stage.closing.callback(part.close)
        wanted = self._stage.parameters.snapshot().text(INPUT)
        if not wanted and self._file.path.is_file():
            self._stage.reporter.note("MIDI map", f"{self._file.path.name} waits: --midi-input all opens devices", "")
        self._follow(wanted)
        self._stage.closing.callback(self._stage.parameters.listen(self._on_change))

    def figures(self) -> Mapping[str, float | int | str]:
        """For the status."""
        own, pages = self._midi.figures(), self.pages.figures()
        return {
            "midi_devices": ", ".join((*self._midi.names, *self.pages.names))[:_LONGEST_LIST],
            **{name: own[name] + count for name, count in pages.items()},
            **self.desk.figures(),
            **self._timecode.figures(now_ns() / 1e9),
        }

    def timecode_place(self) -> Place | None:
        """Where the timecode is, for cues."""
        return self._timecode.place(now_ns() / 1e9)

    @property
    def _is_open(self) -> bool:
        """Whether devices are wanted here, or a page has some."""
        return bool(self._stage.parameters.snapshot().text(INPUT) or self.pages.names)

    def _follow(self, wanted: str) -> None:
        if wanted:
            check_package()
        self._settle()
        self._midi.follow(wanted)

    def _settle(self) -> None:
        if self._is_open:
            self.desk.start()
            self._clock.open()
        else:
            self._clock.close()

    def _send(self, port: int, data: bytes) -> None:
        if not self.pages.send(port, data):
            self._midi.send(port, data)

    def _on_change(self, snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        if INPUT in changed:
            try:
                self._follow(snapshot.text(INPUT))
            except UserError as error:
                self._stage.refusals.refuse("MIDI", (INPUT,), snapshot.text(INPUT), error)
        mine = "" if self._clients is None else writer_name(self._clients[1])
        for address, writer in changed.items():
            self.desk.moved(address, mine=writer == mine)

    def _post(self, address: str, arguments: tuple[object, ...]) -> None:
        if self._clients is not None:
            clients, peer = self._clients
            clients.post(peer, address, *arguments)

    def _answered(self, address: str, arguments: tuple[object, ...]) -> None:
        """A value that is not what was sent: the control no longer stands where its parameter is."""
        self.desk.moved(address, mine=False)


class _Ears:
    """Everyone who hears the devices, of this machine and of pages: on two threads, one after the other."""

    def __init__(self, clock: MidiClock, timecode: TimecodeInput, desk: Desk) -> None:
        self._lock = threading.Lock()
        self._clock = ClockInput(clock)
        self._timecode = timecode
        self._desk = desk

    def opened(self, port: int, device: str) -> None:
        self._desk.opened(port, device)

    def closed(self, port: int) -> None:
        self._desk.closed(port)

    def message(self, port: int, when: float, message: Message) -> None:
        with self._lock:
            self._clock.take(port, when, message)
            self._timecode.take(port, when, message)
        self._desk.message(port, when, message)
