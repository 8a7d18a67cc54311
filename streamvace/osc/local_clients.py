"""OSC clients inside this process: the web panel and the MIDI devices.

Their messages go through the same inbox as datagrams: they are coalesced, coerced, quantised and answered the same way.
Threads: any thread opens, posts and closes; the OSC thread takes and answers.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from itertools import count

from streamvace.osc.coalesce import Arrival
from streamvace.osc.codec import OscError, encode_message
from streamvace.osc.peer import SURFACE, Peer, is_surface, surface_peer

MOST_WAITING = 1024
"""Messages not taken yet; beyond that the oldest are dropped, as in a socket's buffer."""

Answer = Callable[[str, tuple[object, ...]], None]
"""Called with an address and its arguments, on the OSC thread; must not block."""


class LocalClients:
    """The connected clients and their waiting messages."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """wake: makes the OSC thread call `take`."""
        self._wake = wake
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._answers: dict[Peer, Answer] = {}
        self._waiting: deque[Arrival] = deque(maxlen=MOST_WAITING)
        self._dropped = 0

    def open(self, answer: Answer, host: str = "", kind: str = SURFACE) -> Peer:
        """Connect a client; returns its peer. answer: gets complaints, and the values they are about. host: the machine
        that it serves; empty for this one. kind: see `surface_peer`."""
        with self._lock:
            peer = surface_peer(next(self._numbers), host, kind)
            self._answers[peer] = answer
        return peer

    def close(self, peer: Peer) -> None:
        """Disconnect a client."""
        with self._lock:
            self._answers.pop(peer, None)

    def post(self, peer: Peer, address: str, *arguments: object) -> bool:
        """Send a message; returns whether the oldest of those that wait was dropped for it. If OSC cannot carry it, the
        client gets a complaint at once."""
        try:
            packet = encode_message(address, *arguments)
        except OscError as problem:
            self.answer(peer, "/streamvace/status/error", (str(problem),))
            return False
        with self._lock:
            full = len(self._waiting) == MOST_WAITING
            self._dropped += full
            self._waiting.append((packet, peer))
        self._wake()
        return full

    def take(self) -> list[Arrival]:
        """The messages posted since the last call."""
        with self._lock:
            taken = list(self._waiting)
            self._waiting.clear()
        return taken

    @property
    def dropped(self) -> int:
        """Messages dropped since the start."""
        return self._dropped

    def answer(self, peer: Peer, address: str, arguments: tuple[object, ...]) -> bool:
        """Answer a client. Returns whether the peer is or was one of these clients."""
        with self._lock:
            answer = self._answers.get(peer)
        if answer is not None:
            answer(address, arguments)
        return is_surface(peer)
