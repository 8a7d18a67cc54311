"""What the keys of the output window do to the show: one table.

A key sends an OSC message to the show's own port, so that it is checked, quantised to the beat and told to every panel
like a message from anywhere else. Threads: the main thread, where the window lives.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from streamvace.control.parameters import Snapshot
from streamvace.osc.codec import encode_message

CONTEXT_SCALE = "/streamvace/context_scale"
PAUSE = "/streamvace/pause"
RECORD = "/streamvace/record"

STEP = 0.05
"""Of the context scale, a press: twenty from nothing to as trained."""

Message = tuple[object, ...]
"""An address and its arguments."""


@dataclass(frozen=True)
class WindowKey:
    """One row. key: pyglet's name. help: what it does, and how things stand. message: what it sends."""

    key: str
    help: Callable[[Snapshot], str]
    message: Callable[[Snapshot], Message]


def _scaled(snapshot: Snapshot, by: float) -> Message:
    # Rounded, or twenty steps up and down would not end where they began.
    return CONTEXT_SCALE, round(min(2.0, max(0.0, snapshot.number(CONTEXT_SCALE) + by)), 2)


KEYS: tuple[WindowKey, ...] = (
    WindowKey("SPACE", lambda now: "next cue", lambda now: ("/streamvace/cue/go",)),
    WindowKey("UP", lambda now: f"context scale up (now {now.number(CONTEXT_SCALE):.2f})", partial(_scaled, by=STEP)),
    WindowKey("DOWN", lambda now: "context scale down", partial(_scaled, by=-STEP)),
    WindowKey("P", lambda now: "go on" if now.flag(PAUSE) else "freeze", lambda now: (PAUSE, not now.flag(PAUSE))),
    WindowKey(
        "R",
        lambda now: "stop recording" if now.flag(RECORD) else "record",
        lambda now: (RECORD, not now.flag(RECORD)),
    ),
    WindowKey("BACKSPACE", lambda now: "reset: a hard cut", lambda now: ("/streamvace/reset",)),
)


class WindowKeys:
    """The table, with a show behind it."""

    def __init__(self, snapshot: Callable[[], Snapshot], host: str, port: int) -> None:
        """host, port: where the show listens for OSC; an address of everyone means this machine."""
        self._snapshot = snapshot
        self._target = ("127.0.0.1" if host in ("0.0.0.0", "") else "::1" if host == "::" else host, port)

    def actions(self) -> Mapping[str, Callable[[], None]]:
        """What to call for each key."""
        return {row.key: partial(self._send, row) for row in KEYS}

    def help(self) -> tuple[tuple[str, str], ...]:
        """(key, what it does now), for the overlay."""
        snapshot = self._snapshot()
        return tuple((row.key.lower(), row.help(snapshot)) for row in KEYS)

    def _send(self, row: WindowKey) -> None:
        family = socket.AF_INET6 if ":" in self._target[0] else socket.AF_INET
        address, *arguments = row.message(self._snapshot())
        with socket.socket(family, socket.SOCK_DGRAM) as out:
            out.sendto(encode_message(str(address), *arguments), self._target)
