"""Non-blocking look-up of a machine's IPv4 address."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable

RETRY_S = 5.0
"""Interval between look-ups that fail."""


class Lookup:
    """Looks names up on a thread of its own; `find` returns immediately. Main thread only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._name = ""
        self._found: list[str] = []
        self._started_at = 0.0

    def find(self, name: str) -> str | None:
        """The address of `name`, or None until it is known."""
        name = name.strip()
        if name == "localhost":
            return "127.0.0.1"
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            pass
        if name != self._name or (not self._found and self._clock() - self._started_at > RETRY_S):
            self._name, self._found, self._started_at = name, [], self._clock()
            threading.Thread(target=_look_up, args=(name, self._found), name="streamvace lookup", daemon=True).start()
        return self._found[0] if self._found else None


def _look_up(name: str, found: list[str]) -> None:
    """Appends to `found`. Each look-up has its own list, so a late result of an earlier one is ignored."""
    try:
        entries = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return
    found.extend(str(entry[4][0]) for entry in entries)
