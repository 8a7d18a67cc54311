"""MIDI as a surface of the show: the map plays, devices are told, and controls are learned.

Threads: `midi map` owns everything here. The devices' thread, the writers of parameters and the OSC thread only leave
it notes, and any thread may read the figures.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import sleep
from typing import Final

from osc_schema import Parameter, Value
from streamvace.control.parameters import Snapshot
from streamvace.midi.learn import HINT, Learner, Wish, without
from streamvace.midi.map_file import MapFile
from streamvace.midi.map_format import Entry, MidiMap, build
from streamvace.midi.mapping import lasting_name, told
from streamvace.midi.messages import Message
from streamvace.midi.rig import Rig
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError

MOST_WAITING: Final = 4096
"""Messages of devices that wait for the thread; in a flood the oldest are dropped and counted."""
MOST_ASKED: Final = 64
"""Requests to learn and to forget that wait for the thread, each of which writes a file; further ones are dropped."""
LOOK_S: Final = 1.0
"""Between two looks at the map file."""
SETTLED_S: Final = 3.0
"""After this, a device that the map names and that has not come is missing."""
PAUSE_S: Final = 0.25
"""After an internal error."""

Note = Callable[[], None]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ways:
    """The ways to the show.

    post: sets a parameter or acts, as a message of any other surface. send: a message to the device of a port. held:
    reads all parameters. cues: reads the names of the cues. report: gets one line for what is wrong. say: gets one line
    of news. waiting: reads what parameters are set to on the next beat, by address.
    """

    post: Callable[[str, tuple[object, ...]], None]
    send: Callable[[int, bytes], None]
    held: Callable[[], Snapshot]
    cues: Callable[[], Sequence[str]]
    report: Callable[[str], None]
    say: Callable[[str], None]
    waiting: Callable[[], Mapping[str, Value]] = dict


class Desk:
    """The devices of a show, by its map."""

    def __init__(
        self, file: MapFile, schema: Mapping[str, Parameter], ways: Ways, clock: Callable[[], int] = now_ns
    ) -> None:
        self._file = file
        self._schema = schema
        self._ways = ways
        self._clock = clock
        self._changed = threading.Condition()
        self._notes: list[Note] = []
        self._messages: deque[tuple[int, float, Message]] = deque(maxlen=MOST_WAITING)
        self._moved: dict[str, bool] = {}  # by address, whether only messages from here have moved it
        self._lost = self._dropped = 0  # messages that were too many; presses, with the maps before this one
        self._thread: threading.Thread | None = None
        self._closed = False
        self._looked = float("-inf")
        self._missing_from = float("inf")  # when to say which devices are not there
        self._lesson: tuple[Wish, Learner] | None = None
        self._learned = self._last = ""
        self._rig = self._made(MidiMap())

    # The devices' thread.

    def opened(self, port: int, device: str) -> None:
        """A device is there."""
        self._note(lambda: self._rig.opened(port, device))

    def closed(self, port: int) -> None:
        """A device is gone."""
        self._note(lambda: self._rig.closed(port))

    def message(self, port: int, when: float, message: Message) -> None:
        """A device has sent something; when: in seconds, on the show's clock."""
        if message[0] >= 0xF0:
            return
        with self._changed:
            self._lost += len(self._messages) == MOST_WAITING
            self._messages.append((port, when, message))
            self._changed.notify()

    # Any thread.

    def start(self) -> None:
        """Play the map from now on. Idempotent."""
        with self._changed:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="midi map", daemon=True)
                self._thread.start()

    def moved(self, address: str, *, mine: bool) -> None:
        """A parameter has changed. mine: by a message from here."""
        if address in self._rig.addresses:
            with self._changed:
                self._moved[address] = mine and self._moved.get(address, True)
                self._changed.notify()

    def learn(self, wish: Wish) -> None:
        """The next control that is moved is for this parameter."""
        self.start()
        self._ask(partial(self._begin, wish))

    def cancel(self) -> None:
        """Learn nothing."""
        self._ask(self._end)

    def forget(self, row: Parameter) -> None:
        """Take every control of this parameter out of the map."""
        self.start()
        self._ask(partial(self._edit, partial(without, row=row), f"nothing moves {row.name}"))

    def figures(self) -> dict[str, float | int | str]:
        """For the status."""
        lesson, rig = self._lesson, self._rig
        return {
            "midi_maps": len(rig.map.mappings),
            "midi_conflicts": len(rig.conflicts),
            "midi_dropped": self._lost + self._dropped + rig.dropped,
            "midi_learn": "" if lesson is None else lesson[0].row.name,
            "midi_learned": self._learned,
            "midi_last": self._last,
        }

    def state(self) -> dict[str, object]:
        """For the page. learn: the address that learns, or empty. learned, last: lines. devices: the names of those
        that are open. maps: by address, its controls; each has `control` (as people read it), `there` (whether its
        device is), `feedback`, and `shared` (the addresses that the same control moves too)."""
        lesson, rig = self._lesson, self._rig
        return {
            "learn": "" if lesson is None else lesson[0].row.address,
            "learned": self._learned,
            "last": self._last,
            "devices": list(rig.devices.values()),
            "maps": rig.rows(),
        }

    def close(self) -> None:
        """End the thread. Idempotent."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _ask(self, act: Note) -> None:
        if len(self._notes) < MOST_ASKED:
            self._note(act)
        else:
            self._lost += 1

    def _note(self, act: Note) -> None:
        with self._changed:
            self._notes.append(act)
            self._changed.notify()

    # The thread `midi map`.

    def _run(self) -> None:
        lost = 0
        while True:
            with self._changed:
                if not (self._notes or self._messages or self._moved or self._closed):
                    self._changed.wait(self._wait_s())
                if self._closed:
                    return
            try:
                self.turn()
            except Exception:
                # No known error gets here. If one does, MIDI must keep running and the error must be logged.
                log.exception("the MIDI map caught an error and continues")
                sleep(PAUSE_S)  # one that comes again at once must not take the processor, nor fill the log
            if lost != self._lost:
                lost = self._lost
                self._ways.report("more MIDI messages than can be used; status/midi_dropped counts those left out")

    def turn(self) -> None:
        """Do what has come and what is due."""
        with self._changed:
            notes, messages, moved = self._notes, tuple(self._messages), self._moved
            self._notes, self._moved = [], {}
            self._messages.clear()
        now = self._now()
        if now - self._looked >= LOOK_S:
            self._look(now)
        for act in notes:
            act()
        for address, mine in moved.items():
            self._rig.changed(address, mine=mine)
        for port, when, message in messages:
            self._take(port, when, message)
        for port, event in self._rig.late(now):
            if self._lesson is None:
                self._rig.play(port, now, event)
        if self._lesson is not None:
            self._settle(*self._lesson, now)
        to_show, to_devices = self._rig.due(now)
        for address, arguments in to_show:
            self._ways.post(address, arguments)
        for port, data in to_devices:
            self._ways.send(port, data)
        if now >= self._missing_from:
            self._missing_from = float("inf")
            if missing := self._rig.missing():
                self._ways.report(f"{self._file.path.name}: {missing}")

    def _now(self) -> float:
        return self._clock() / 1e9

    def _wait_s(self) -> float:
        now = self._now()
        waits = [self._looked + LOOK_S - now, self._rig.wait(now)]
        waits += [self._lesson[1].wait(now)] if self._lesson is not None else []
        return max(0.0, min(wait for wait in waits if wait is not None))

    def _take(self, port: int, when: float, message: Message) -> None:
        for event in self._rig.events(port, when, message):
            device = self._rig.devices[port]
            self._last = f"{told(lasting_name(device), event.channel, event.control)}: {event.raw}"
            if self._lesson is None:
                self._rig.play(port, when, event)
        if self._lesson is not None and port in self._rig.devices:
            self._lesson[1].take(port, self._rig.devices[port], when, message)

    # The map.

    def _made(self, midi_map: MidiMap) -> Rig:
        def held(address: str) -> Value:
            return self._ways.held()[address]

        def asked(address: str) -> Value:
            waiting = self._ways.waiting()
            return waiting[address] if address in waiting else held(address)

        return Rig(midi_map, held, asked, self._ways.cues, self._ways.report)

    def _look(self, now: float) -> None:
        self._looked = now
        try:
            found = self._file.news()
        except UserError as error:
            self._ways.report(f"{error}; the map is unchanged")
            return
        if found is not None and found != self._rig.map:
            self._use(found)
            self._ways.say(f"{self._file.path.name}: {self._rig.told()}")

    def _use(self, midi_map: MidiMap) -> None:
        before, self._rig = self._rig, self._made(midi_map)
        self._dropped += before.dropped
        for port, device in before.devices.items():
            self._rig.opened(port, device)
        self._missing_from = self._now() + SETTLED_S

    def _edit(self, edit: Callable[[Sequence[Entry]], list[Entry]], line: str) -> None:
        """Change the rows of the file as it is now, so that an edit by hand stays."""
        try:
            there = self._file.read()
            changed = build(edit(there.entries), there.devices, self._schema, self._file.path.name)
            self._file.write(changed)
        except UserError as error:
            self._learned = str(error)
            self._ways.report(str(error))
            return
        self._use(changed)
        self._learned = f"{line}; {self._rig.told()}"
        self._ways.say(self._learned)

    # Learning.

    def _begin(self, wish: Wish) -> None:
        self._lesson, self._learned = (wish, Learner(self._now())), HINT

    def _end(self) -> None:
        if self._lesson is not None:
            self._lesson, self._learned = None, "nothing was learned"

    def _settle(self, wish: Wish, learner: Learner, now: float) -> None:
        found = learner.found(now)
        if found is not None:
            self._edit(partial(wish.added, found=found), f"{found} moves {wish.row.name}")
            self._lesson = None  # last: whoever waits for this reads what was learned
        elif learner.gave_up(now):
            self._end()
