"""The process that holds the MIDI ports: an error in the library's C++ ends this process and not the show.

Once a second it opens the devices that are new and closes those that are gone. What arrives is stamped in the library's
callback and written to standard output as frames. It ends with its standard input.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from streamvace.midi.frames import BYTES, CLOSED, LINE, MOST, OPENED, pack
from streamvace.system.clock import now_ns
from streamvace.system.console import one_line

ALL: Final = "all"
POLL_S: Final = 1.0
MOST_PORTS: Final = 32

Write = Callable[[bytes], None]


class Port(Protocol):
    """The part of `rtmidi2.MidiIn` in use."""

    callback: Callable[[Sequence[int], float], None] | None

    def ignore_types(self, midi_sysex: bool, midi_time: bool, midi_sense: bool) -> None: ...

    def open_port(self, port: int) -> None: ...

    def close_port(self) -> None: ...


def wants(name: str, wanted: str) -> bool:
    """Whether a device is meant: by `all`, or by a part of its name in any case."""
    return wanted.casefold() == ALL or wanted.casefold() in name.casefold()


def numbered(names: Sequence[str]) -> list[str]:
    """Names of which no two are equal: two devices of a kind may have the same."""
    return [name if name not in names[:i] else f"{name} ({names[:i].count(name) + 1})" for i, name in enumerate(names)]


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

    def _take(self, index: int, name: str) -> None:
        number = next((n for n in range(MOST_PORTS) if n not in {taken for taken, _ in self._open.values()}), None)
        if number is None:
            return
        try:
            port = self._open_port()
            port.ignore_types(True, False, True)  # the clock, which the library leaves out by default, is wanted
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


def main(words: Sequence[str]) -> None:
    """The process: WANTED."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    lock = threading.Lock()
    out = os.dup(1)
    os.dup2(2, 1)  # what the library prints must not get between the frames

    def write(frame: bytes) -> None:
        with lock:
            while frame:
                frame = frame[os.write(out, frame) :]

    import rtmidi2  # type: ignore[import-not-found,unused-ignore]

    ports = Ports(words[0], rtmidi2.MidiIn, write)
    while True:
        try:
            found = list(rtmidi2.get_in_ports())
        except Exception as error:  # noqa: BLE001 - no sequencer, say
            write(pack(LINE, 0, now_ns(), f"MIDI cannot be opened ({one_line(error)})".encode()))
            os._exit(3)
        ports.look(found)
        threading.Event().wait(POLL_S)


def _end_with_input() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
