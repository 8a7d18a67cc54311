"""The way in for surfaces of this process, such as the web panel: the same door as everyone's, without a socket.

What they send meets the same inbox as a datagram: coalesced, judged, quantised, and answered with the same lines.
Threads: any thread opens, posts and closes; the OSC thread takes and answers.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from itertools import count

from streamvace.osc.coalesce import Arrival
from streamvace.osc.codec import OscError, encode_message
from streamvace.osc.peer import Peer

MOST_WAITING = 1024
"""Messages not taken yet; the oldest give way, as in a socket's buffer."""

_HOST = "surface"

Answer = Callable[[str, tuple[object, ...]], None]
"""Gets an address and its arguments, on the OSC thread; must not wait."""


class LocalClients:
    """Every surface that is connected, and what they have sent."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """wake: makes the OSC thread take what has come."""
        self._wake = wake
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._answers: dict[Peer, Answer] = {}
        self._waiting: deque[Arrival] = deque(maxlen=MOST_WAITING)

    def open(self, answer: Answer) -> Peer:
        """A new surface; its name from now on. answer: hears complaints, and the values they are about."""
        with self._lock:
            peer = (_HOST, next(self._numbers))
            self._answers[peer] = answer
        return peer

    def close(self, peer: Peer) -> None:
        """This surface is gone."""
        with self._lock:
            self._answers.pop(peer, None)

    def post(self, peer: Peer, address: str, *arguments: object) -> None:
        """Send a message. One that OSC cannot carry is answered at once."""
        try:
            packet = encode_message(address, *arguments)
        except OscError as problem:
            self.answer(peer, "/streamvace/status/error", (str(problem),))
            return
        with self._lock:
            self._waiting.append((packet, peer))
        self._wake()

    def take(self) -> list[Arrival]:
        """Everything posted since the last time."""
        with self._lock:
            taken = list(self._waiting)
            self._waiting.clear()
        return taken

    def answer(self, peer: Peer, address: str, arguments: tuple[object, ...]) -> bool:
        """Tell a surface; whether this peer is one at all, or was."""
        with self._lock:
            answer = self._answers.get(peer)
        if answer is not None:
            answer(address, arguments)
        return peer[0] == _HOST
