"""MIDI devices that pages bring: those of the phone or laptop whose browser shows the page.

To the rest of MIDI they are ports like any others, with numbers above those of the port process.

Threads: the web server's loop opens, closes and hears; any thread sends and reads the figures.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from streamvace.midi.mapping import is_meant
from streamvace.midi.messages import Parser
from streamvace.midi.midi_in import Listener
from streamvace.midi.port_process import MOST_PORTS
from streamvace.system.console import in_one_line
from streamvace.system.errors import UserError

MOST_DEVICES: Final = 16
"""Of all pages together."""
LONGEST_NAME: Final = 80


class PagePorts:
    """The devices of all pages."""

    def __init__(
        self, listener: Listener, changed: Callable[[], None], others: Callable[[], Collection[str]] = tuple
    ) -> None:
        """listener: hears the devices, on the loop. changed: called when one has come or gone. others: the names of the
        devices that this machine has open itself."""
        self._listener = listener
        self._changed = changed
        self._others = others
        self._names: dict[int, str] = {}
        self._sends: dict[int, Callable[[bytes], None]] = {}
        self._parsers: dict[int, Parser] = {}
        self._messages = self._damaged = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The devices that are there. Any thread."""
        return tuple(self._names.values())

    def open(self, name: str, send: Callable[[bytes], None], *, here: bool) -> int:
        """A page has a device; returns its port. send: takes whole messages for it, on any thread. here: whether the
        browser runs on this machine. Raises UserError, one line."""
        name = in_one_line(name)[:LONGEST_NAME] or "a device without a name"
        if here and any(is_meant(other, name) for other in self._others()):
            raise UserError(f"{name} is open already, by /streamvace/midi/input; the page leaves it alone")
        free = (port for port in range(MOST_PORTS, MOST_PORTS + MOST_DEVICES) if port not in self._names)
        port = next(free, None)
        if port is None:
            raise UserError(f"{name} is not opened: pages have {MOST_DEVICES} MIDI devices already")
        self._names[port], self._sends[port], self._parsers[port] = name, send, Parser()
        self._changed()
        self._listener.opened(port, name)
        return port

    def hear(self, port: int, when: float, data: bytes) -> None:
        """Bytes of a device; when: they arrived there, in seconds on the show's clock."""
        parser = self._parsers[port]
        damaged = parser.damaged
        for message in parser.feed(data):
            self._messages += 1
            self._listener.message(port, when, message)
        self._damaged += parser.damaged - damaged

    def close(self, port: int) -> None:
        """A device is gone, or its page."""
        del self._names[port], self._sends[port], self._parsers[port]
        self._listener.closed(port)
        self._changed()

    def send(self, port: int, message: bytes) -> bool:
        """Send a whole message to the device of a port; whether a page has it."""
        send = self._sends.get(port)
        if send is not None:
            send(message)
        return port >= MOST_PORTS

    def figures(self) -> dict[str, int]:
        """Messages heard, and bytes and messages that could not be read."""
        return {"midi_messages": self._messages, "midi_faults": self._damaged}
