"""When a request for every value is answered. No sockets, no clock: the caller passes seconds.

An answer is two hundred times as large as its request. So each target gets one a second at most; requests within the
second share the next one, and none is dropped.
"""

from __future__ import annotations

from streamvace.osc.peer import Peer

INTERVAL = 1.0
"""Seconds between two answers for one target."""
MOST_TARGETS = 64
"""Targets answered or waiting within a second. Only a forger of addresses has more."""


class Syncs:
    """The targets of the last second, and those that wait."""

    def __init__(self) -> None:
        self._answered: dict[Peer, float] = {}
        self._waiting: set[Peer] = set()

    def ask(self, target: Peer, now: float) -> bool:
        """Whether to answer at once; if not, the answer comes with `take_due`."""
        self._forget(now)
        if target in self._answered or len(self._answered) >= MOST_TARGETS:
            if len(self._waiting) < MOST_TARGETS:
                self._waiting.add(target)
            return False
        self._answered[target] = now
        return True

    def take_due(self, now: float) -> list[Peer]:
        """The targets whose wait is over."""
        self._forget(now)
        due = [target for target in self._waiting if target not in self._answered]
        self._waiting.difference_update(due)
        self._answered.update(dict.fromkeys(due, now))
        return due

    def wait(self, now: float) -> float | None:
        """Seconds until a waiting target is due; None when none waits."""
        ends = [self._answered.get(target, now - INTERVAL) + INTERVAL - now for target in self._waiting]
        return max(0.0, min(ends)) if ends else None

    def _forget(self, now: float) -> None:
        self._answered = {target: at for target, at in self._answered.items() if now - at < INTERVAL}
