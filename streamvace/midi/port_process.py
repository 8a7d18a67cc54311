"""The process that holds the MIDI ports: an error in the library's C++ ends this process and not the show.

Once a second it opens the devices that are new and closes those that are gone. What arrives is stamped in the library's
callback and written to standard output as frames. What comes in by standard input is sent to the devices, of which
only those that are sent something are opened for it. The process ends with its standard input.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from streamvace.midi.frames import BYTES, CLOSED, LINE, MOST, OPENED, SEND, pack, read
from streamvace.midi.port_names import numbered, out_name, plain
from streamvace.system.child import own_pipes
from streamvace.system.clock import now_ns
from streamvace.system.console import one_line

ALL: Final = "all"
POLL_S: Final = 1.0
MOST_PORTS: Final = 32
MOST_WAITING: Final = 4096
"""Messages to devices that have not left yet; a device that takes none makes nobody wait."""

Write = Callable[[bytes], None]


class Port(Protocol):
    """The part of `rtmidi2.MidiIn` in use."""

    callback: Callable[[Sequence[int], float], None] | None

    def ignore_types(self, midi_sysex: bool, midi_time: bool, midi_sense: bool) -> None: ...

    def open_port(self, port: int) -> None: ...

    def close_port(self) -> None: ...


class OutPort(Protocol):
    """The part of `rtmidi2.MidiOut` in use."""

    def open_port(self, port: int) -> None: ...

    def send_raw(self, *message: int) -> None: ...

    def close_port(self) -> None: ...


def wants(name: str, wanted: str) -> bool:
    """Whether a device is meant: by `all`, or by a part of its name in any case."""
    return wanted.casefold() == ALL or wanted.casefold() in name.casefold()


class Ports:
    """The devices that are open."""

    def __init__(self, wanted: str, open_port: Callable[[], Port], write: Write) -> None:
        self._wanted = wanted
        self._open_port = open_port
        self._write = write
        self._open: dict[str, tuple[int, Port]] = {}
        self._refused: set[str] = set()

    def look(self, found: Sequence[str]) -> None:
        """Open what is new among the devices that are there, and close what is gone."""
        names = numbered(found)
        self._refused &= set(names)
        for name in [name for name in self._open if name not in names]:
            number, port = self._open.pop(name)
            port.callback = None
            port.close_port()
            self._write(pack(CLOSED, number, now_ns(), name.encode()))
        for index, name in enumerate(names):
            if wants(name, self._wanted) and name not in self._open and name not in self._refused:
                self._take(index, name)

    def name(self, number: int) -> str:
        """The device of a port; empty for none. Any thread."""
        return next((name for name, (taken, _) in tuple(self._open.items()) if taken == number), "")

    def _take(self, index: int, name: str) -> None:
        number = next((n for n in range(MOST_PORTS) if n not in {taken for taken, _ in self._open.values()}), None)
        if number is None:
            return
        try:
            port = self._open_port()
            # Wanted, although the library leaves them out by default: the clock, and timecode in system exclusive.
            port.ignore_types(False, False, True)
            port.callback = self._callback(number)
            port.open_port(index)
        except Exception as error:  # noqa: BLE001 - the library raises RuntimeError, and on Windows whatever it likes
            self._refused.add(name)
            why = f"{name} cannot be opened ({one_line(error)}); close what else uses it, then plug it in again"
            self._write(pack(LINE, number, now_ns(), why.encode()))
            return
        self._open[name] = number, port
        self._write(pack(OPENED, number, now_ns(), name.encode()))

    def _callback(self, number: int) -> Callable[[Sequence[int], float], None]:
        def arrived(message: Sequence[int], seconds: float) -> None:
            at_ns = now_ns()
            if len(message) <= MOST:
                self._write(pack(BYTES, number, at_ns, bytes(message)))

        return arrived


class Outs:
    """The devices that are sent something, by the numbers of their ports."""

    def __init__(self, open_out: Callable[[], OutPort], found: Callable[[], Sequence[str]], write: Write) -> None:
        """found: the names of the ports that can be sent to."""
        self._open_out = open_out
        self._found = found
        self._write = write
        self._open: dict[int, tuple[str, OutPort | None]] = {}

    def send(self, number: int, name: str, message: bytes) -> None:
        """Send a whole message to the device with this name. One that cannot be sent to is told once."""
        known, port = self._open.get(number, ("", None))
        if known != name:
            if port is not None:
                port.close_port()
            port = self._taken(number, name)
            self._open[number] = name, port
        if port is None:
            return
        try:
            port.send_raw(*message)
        except Exception as error:  # noqa: BLE001 - it was unplugged, say
            self._open[number] = name, None
            self._tell(number, f"{name} takes no messages ({one_line(error)}); plug it in again")

    def _taken(self, number: int, name: str) -> OutPort | None:
        try:
            names = numbered(self._found())
            index = next((i for i, each in enumerate(names) if each == out_name(name)), None)
            if index is None:
                self._tell(number, f"{name} can be sent nothing: it has no MIDI output; leave out its feedback")
                return None
            port = self._open_out()
            port.open_port(index)
        except Exception as error:  # noqa: BLE001 - as above
            self._tell(number, f"{name} cannot be opened for feedback ({one_line(error)}); close what else uses it")
            return None
        return port

    def _tell(self, number: int, line: str) -> None:
        self._write(pack(LINE, number, now_ns(), line.encode()))


def main(words: Sequence[str]) -> None:
    """The process: WANTED."""
    waiting: queue.SimpleQueue[tuple[int, bytes]] = queue.SimpleQueue()
    asked, out = own_pipes()
    threading.Thread(target=_read_input, args=(asked, waiting), daemon=True).start()
    lock = threading.Lock()

    def write(frame: bytes) -> None:
        with lock:
            while frame:
                frame = frame[os.write(out, frame) :]

    import rtmidi2  # type: ignore[import-not-found,unused-ignore]

    ports = Ports(words[0], rtmidi2.MidiIn, write)
    outs = Outs(rtmidi2.MidiOut, lambda: plain(rtmidi2.get_out_ports()), write)
    threading.Thread(target=_send, args=(waiting, ports, outs), daemon=True).start()
    while True:
        try:
            found = plain(rtmidi2.get_in_ports())
        except Exception as error:  # noqa: BLE001 - no sequencer, say
            write(pack(LINE, 0, now_ns(), f"MIDI cannot be opened ({one_line(error)})".encode()))
            os._exit(3)
        ports.look(found)
        threading.Event().wait(POLL_S)


def _send(waiting: queue.SimpleQueue[tuple[int, bytes]], ports: Ports, outs: Outs) -> None:
    while True:
        number, message = waiting.get()
        name = ports.name(number)
        if name:
            outs.send(number, name, message)


def _read_input(asked: int, waiting: queue.SimpleQueue[tuple[int, bytes]]) -> None:
    while (frame := read(lambda most: os.read(asked, most))) is not None:
        if frame.kind == SEND and waiting.qsize() < MOST_WAITING:
            waiting.put((frame.port, frame.data))
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
