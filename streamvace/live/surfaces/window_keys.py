"""The keys of the output window, as one table.

A key sends an OSC message to the show's own port, so it is checked, quantised to the beat and fed back to every panel
like any other message. Threads: the main thread, which owns the window.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from streamvace.control.parameters import Snapshot
from streamvace.osc.codec import encode_message

log = logging.getLogger(__name__)

CONTEXT_SCALE = "/streamvace/context_scale"
BLACKOUT = "/streamvace/blackout"
PAUSE = "/streamvace/pause"
RECORD = "/streamvace/record"

STEP = 0.05
"""Change of the context scale per press: 20 presses from 0 to 1, the scale of training."""

Message = tuple[object, ...]
"""An address and its arguments."""


@dataclass(frozen=True)
class WindowKey:
    """key: pyglet's name. help: what it does, with the current state. message: what it sends."""

    key: str
    help: Callable[[Snapshot], str]
    message: Callable[[Snapshot], Message]


def _scaled(snapshot: Snapshot, by: float) -> Message:
    # Rounded, so that steps up and down return to the same value.
    return CONTEXT_SCALE, round(min(2.0, max(0.0, snapshot.number(CONTEXT_SCALE) + by)), 2)


KEYS: tuple[WindowKey, ...] = (
    WindowKey("SPACE", lambda now: "next cue", lambda now: ("/streamvace/cue/go",)),
    WindowKey("UP", lambda now: f"context scale up (now {now.number(CONTEXT_SCALE):.2f})", partial(_scaled, by=STEP)),
    WindowKey("DOWN", lambda now: "context scale down", partial(_scaled, by=-STEP)),
    WindowKey("P", lambda now: "go on" if now.flag(PAUSE) else "pause", lambda now: (PAUSE, not now.flag(PAUSE))),
    WindowKey(
        "R",
        lambda now: "stop recording" if now.flag(RECORD) else "record",
        lambda now: (RECORD, not now.flag(RECORD)),
    ),
    WindowKey(
        "B",
        lambda now: "picture back" if now.flag(BLACKOUT) else "blackout",
        lambda now: (BLACKOUT, not now.flag(BLACKOUT)),
    ),
    WindowKey("BACKSPACE", lambda now: "hard cut", lambda now: ("/streamvace/hard_cut",)),
)


class WindowKeys:
    """The table, connected to a show."""

    def __init__(self, snapshot: Callable[[], Snapshot], host: str, port: int) -> None:
        """host, port: where the show listens for OSC. A wildcard address is reached at localhost."""
        self._snapshot = snapshot
        self._target = ("127.0.0.1" if host in ("0.0.0.0", "") else "::1" if host == "::" else host, port)

    def actions(self) -> Mapping[str, Callable[[], None]]:
        """The function to call for each key."""
        return {row.key: partial(self._send, row) for row in KEYS}

    def help(self) -> tuple[tuple[str, str], ...]:
        """(key, what it does now), for the help overlay."""
        snapshot = self._snapshot()
        return tuple((row.key.lower(), row.help(snapshot)) for row in KEYS)

    def _send(self, row: WindowKey) -> None:
        family = socket.AF_INET6 if ":" in self._target[0] else socket.AF_INET
        address, *arguments = row.message(self._snapshot())
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as out:
                out.sendto(encode_message(str(address), *arguments), self._target)
        except OSError as error:  # no descriptor is left, say: the window and the show go on
            log.warning("the key %s did nothing: %s", row.key.lower(), error)
