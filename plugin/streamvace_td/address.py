"""From the name of a machine to its IPv4 address, without making anybody wait."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable

RETRY_S = 5.0


class Lookup:
    """Asks the system on a thread of its own; `find` answers at once. Main thread only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._name = ""
        self._found: list[str] = []
        self._asked_at = 0.0

    def find(self, name: str) -> str | None:
        """The address of `name`, or None until it is known."""
        name = name.strip()
        if name == "localhost":
            return "127.0.0.1"
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            pass
        if name != self._name or (not self._found and self._clock() - self._asked_at > RETRY_S):
            self._name, self._found, self._asked_at = name, [], self._clock()
            threading.Thread(target=_ask, args=(name, self._found), name="streamvace lookup", daemon=True).start()
        return self._found[0] if self._found else None


def _ask(name: str, found: list[str]) -> None:
    """Each question has a list of its own: a late answer to an earlier one cannot be taken for this one's."""
    try:
        entries = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        return
    found.extend(str(entry[4][0]) for entry in entries)
