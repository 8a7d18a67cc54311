"""Messages whose time tag lies in the future, waiting for it. No clock, no I/O: the caller says what time it is."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count

from streamvace.osc.codec import Message
from streamvace.osc.peer import Peer

HORIZON = 300.0
"""Seconds; what lies further ahead is a wrong clock or a hostile sender, and is refused."""
MAX_BYTES = 1 << 20
"""Datagram bytes waiting at once."""
MAX_ENTRIES = 1024


class Schedule:
    """A bounded heap of (due, messages, sender)."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, int, tuple[Message, ...], Peer]] = []
        self._order = count()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due: float, now: float, messages: tuple[Message, ...], peer: Peer, size: int) -> str:
        """Keep messages until `due` (seconds, on the clock of `now`); `size` is their share of memory in bytes.

        Returns why they are refused, in one line, or an empty string when kept.
        """
        if due - now > HORIZON:
            return f"time tag {due - now:.0f} s ahead, at most {HORIZON:.0f} s are taken"
        if len(self._heap) >= MAX_ENTRIES or self._bytes + size > MAX_BYTES:
            return f"{len(self._heap)} bundles of {self._bytes} bytes wait already, no room for {size} bytes more"
        heapq.heappush(self._heap, (due, next(self._order), size, messages, peer))
        self._bytes += size
        return ""

    def next_due(self) -> float | None:
        """When the earliest is due, or None."""
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: float) -> Iterator[tuple[tuple[Message, ...], Peer]]:
        """Everything due by `now`, earliest first; of one time, in the order of arrival."""
        while self._heap and self._heap[0][0] <= now:
            _, _, size, messages, peer = heapq.heappop(self._heap)
            self._bytes -= size
            yield messages, peer
