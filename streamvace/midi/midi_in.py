"""MIDI in and out: the port process, started again when it ends, and its messages.

Threads: `midi` reads the pipe and waits for it; any thread calls `follow`, `send`, `figures` and `close`, which do not
wait.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from typing import Final, Protocol

from streamvace.midi import frames
from streamvace.midi.messages import Message, Parser
from streamvace.system.child import start_child
from streamvace.system.clock import now_ns
from streamvace.system.device_process import DeviceProcess
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command

INPUT: Final = "/streamvace/midi/input"


class Listener(Protocol):
    """Who hears the devices, on the thread `midi`. Ports are numbers; when: in seconds, on the show's clock."""

    def opened(self, port: int, device: str) -> None: ...

    def closed(self, port: int) -> None: ...

    def message(self, port: int, when: float, message: Message) -> None: ...


Start = Callable[[str], "subprocess.Popen[bytes]"]


def start_ports(wanted: str) -> subprocess.Popen[bytes]:
    """The port process for these devices."""
    return start_child("streamvace.midi.port_process", wanted, quiet=True)


def check_package() -> None:
    """Raises UserError if rtmidi2 is not installed."""
    if find_spec("rtmidi2") is None:
        fix = install_command("midi")
        raise UserError(f"MIDI needs the package rtmidi2: {fix}", fix)


class MidiIn:
    """The devices that are wanted."""

    def __init__(self, listener: Listener, report: Callable[[str], None], start: Start = start_ports) -> None:
        """report: gets one line for what is wrong, once while it stays the same."""
        self._listener = listener
        self._report = report
        self._process = DeviceProcess("midi", start, frames.read, self._handle, self._over)
        self._devices: dict[int, str] = {}
        self._parsers: dict[int, Parser] = {}
        self._messages = self._faults = 0
        self._said = ""

    def follow(self, wanted: str) -> None:
        """Open these devices: `all`, a part of a name, or nothing."""
        if self._process.follow(wanted):
            self._said = ""

    def send(self, port: int, message: bytes) -> None:
        """Send a whole message to the device of a port. One that is gone gets nothing."""
        self._process.write(frames.pack(frames.SEND, port, now_ns(), message))

    @property
    def names(self) -> tuple[str, ...]:
        """The devices that are open. Any thread."""
        return tuple(self._devices.values())

    def figures(self) -> dict[str, int]:
        """Messages heard, and what went wrong."""
        return {
            "midi_messages": self._messages,
            "midi_faults": self._faults + sum(parser.damaged for parser in tuple(self._parsers.values())),
        }

    def close(self) -> None:
        """End the process and the thread. Idempotent."""
        self._process.close()

    def _over(self, code: int | None) -> None:
        for port in tuple(self._devices):
            del self._devices[port]
            self._listener.closed(port)
        if code is not None:
            self._faults += 1
            self._say(f"the MIDI process ended (code {code}); it is started again")

    def _handle(self, frame: frames.Frame) -> None:
        text = frame.data.decode("utf-8", "replace") if frame.kind != frames.BYTES else ""
        if frame.kind == frames.OPENED:
            self._devices[frame.port] = text
            self._parsers[frame.port] = Parser()
            self._process.opened()
            self._said = ""
            self._listener.opened(frame.port, text)
        elif frame.kind == frames.CLOSED:
            if self._devices.pop(frame.port, None) is not None:
                self._listener.closed(frame.port)
            self._say(f"{text} is gone; it is taken again when it is back")
        elif frame.kind == frames.LINE:
            self._faults += 1
            self._say(text)
        elif frame.port in self._parsers:
            self._hear(frame.port, frame.at_ns / 1e9, frame.data)

    def _hear(self, port: int, when: float, data: bytes) -> None:
        parser = self._parsers[port]
        damaged = parser.damaged
        for message in parser.feed(data):
            self._messages += 1
            self._listener.message(port, when, message)
        if parser.damaged and not damaged:
            name = self._devices.get(port, f"port {port}")
            self._report(f"{name} sends bytes that are no whole message; status/midi_faults counts them")

    def _say(self, line: str) -> None:
        """Once: a process that ends right after its own line is no news, nor is the same line again."""
        if line == self._said or (self._said and line.startswith("the MIDI process")):
            return
        self._said = line
        self._report(line)
