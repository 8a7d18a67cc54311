"""The OSC monitor: the last messages in, and what became of each.

The OSC thread notes every message in a list and merges it, once a turn, into a bounded table of the newest by sender,
address and fate. Texts are made only when somebody reads. Superseded messages of a burst are never decoded, and not
noted either.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal

from streamvace.control.coercion import show
from streamvace.osc.codec import Argument
from streamvace.osc.peer import Peer, shown
from streamvace.system.console import in_one_line

MOST_ROWS = 64
"""Rows kept: more than fit on a screen. A row holds the arguments of one message, at most a datagram of 64 KiB."""
LONGEST_ARGUMENTS = 120
"""Characters of a row's arguments."""

Fate = Literal["applied", "answered", "waits", "clamped", "refused", "unknown", "ignored", "heard"]
"""What became of a message: set (`applied`) or set to the nearest allowed value (`clamped`); `refused` without a
meaning; `waits` for its time or the beat; `answered` a question or a service; `unknown` address; `ignored` what needs
no reaction: the release of a button, answers of other programs, their messages; `heard` by a modulator."""


@dataclass(slots=True)
class Received:
    """One message, or several of one sender to one address with one fate.

    number: of the newest of them, counted since the start. at: seconds since 1970. why: one line, empty if nothing is
    to be said. times: how many were merged, at least.
    """

    at: float
    peer: Peer
    address: str
    arguments: tuple[Argument, ...]
    fate: Fate = "applied"
    why: str = ""
    number: int = 0
    times: int = 1

    def row(self) -> dict[str, object]:
        """For JSON: every text is one line without control characters."""
        return {
            "number": self.number,
            "at": round(self.at, 3),
            "from": shown(self.peer),
            "address": in_one_line(self.address),
            "arguments": self.shown_arguments(),
            "fate": self.fate,
            "why": in_one_line(self.why),
            "times": self.times,
        }

    def shown_arguments(self) -> str:
        """The arguments in one line, cut to LONGEST_ARGUMENTS."""
        arguments = in_one_line(" ".join(show(argument) for argument in self.arguments[:8]))
        if len(self.arguments) > 8 or len(arguments) > LONGEST_ARGUMENTS:
            arguments = arguments[: LONGEST_ARGUMENTS - 4] + " ..."
        return arguments


class Monitor:
    """Notes on the OSC thread; any thread reads."""

    def __init__(self) -> None:
        self._turn: deque[Received] = deque(maxlen=MOST_ROWS)
        self._rows: dict[tuple[Peer, str, str], Received] = {}
        self._numbers = count(1)
        self._lock = threading.Lock()

    def note(self, at: float, peer: Peer, address: str, arguments: tuple[Argument, ...] = ()) -> Received:
        """A message that is taken up now. at: seconds since 1970."""
        noted = Received(at, peer, address, arguments)
        self._turn.append(noted)
        return noted

    def becomes(self, fate: Fate, why: str = "") -> None:
        """The fate of the message noted last, if it is not `applied`."""
        newest = self._turn[-1]
        newest.fate, newest.why = fate, why

    def newest_arguments(self) -> str:
        """The arguments of the message noted last, as text."""
        return self._turn[-1].shown_arguments()

    def became(self, peer: Peer, address: str, why: str) -> str:
        """An earlier message of this turn is refused after all; returns its arguments as text."""
        for noted in reversed(self._turn):
            if (noted.peer, noted.address) == (peer, address):
                noted.fate, noted.why = "refused", why
                return noted.shown_arguments()
        return ""

    def end_turn(self) -> None:
        """Show the turn's messages to readers, once their requests are answered."""
        if not self._turn:
            return
        with self._lock:
            for noted in self._turn:
                key = (noted.peer, noted.address, noted.fate)
                merged = self._rows.pop(key, None)
                noted.number = next(self._numbers)
                noted.times = 1 if merged is None else merged.times + 1
                self._rows[key] = noted
            while len(self._rows) > MOST_ROWS:
                del self._rows[next(iter(self._rows))]
        self._turn.clear()

    def since(self, number: int) -> list[dict[str, object]]:
        """The rows whose newest message is newer than the one of this number, oldest first. Any thread."""
        with self._lock:
            newer = [replace(row) for row in self._rows.values() if row.number > number]
        return [row.row() for row in newer]
