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
    """A bounded heap of (due, messages, sender); rather two: what is set ahead of its time, and what is not."""

    def __init__(self) -> None:
        self._heaps: dict[bool, list[tuple[float, int, int, tuple[Message, ...], Peer]]] = {False: [], True: []}
        self._order = count()
        self._bytes = 0

    def __len__(self) -> int:
        return sum(map(len, self._heaps.values()))

    def add(self, due: float, now: float, messages: tuple[Message, ...], peer: Peer, size: int, *, ahead: bool) -> str:
        """Keep messages until `due` (seconds, on the clock of `now`); `size` is their share of memory in bytes.

        ahead: they shape chunks, and take a while from being set to being seen.
        Returns why they are refused, in one line, or an empty string when kept.
        """
        if due - now > HORIZON:
            return f"time tag {due - now:.0f} s ahead, at most {HORIZON:.0f} s are taken"
        if len(self) >= MAX_ENTRIES or self._bytes + size > MAX_BYTES:
            return f"{len(self)} bundles of {self._bytes} bytes wait already, no room for {size} bytes more"
        heapq.heappush(self._heaps[ahead], (due, next(self._order), size, messages, peer))
        self._bytes += size
        return ""

    def next_due(self, look_ahead: float) -> float | None:
        """When the earliest must be set, or None. look_ahead: by how many seconds the ones ahead are set early."""
        times = [heap[0][0] - look_ahead * ahead for ahead, heap in self._heaps.items() if heap]
        return min(times, default=None)

    def pop_due(self, now: float, look_ahead: float) -> Iterator[tuple[tuple[Message, ...], Peer]]:
        """Everything to be set by `now`, earliest first; of one time, in the order of arrival."""
        due = []
        for ahead, heap in self._heaps.items():
            while heap and heap[0][0] <= now + look_ahead * ahead:
                due.append(heapq.heappop(heap))
        for _, _, size, messages, peer in sorted(due, key=lambda entry: entry[:2]):
            self._bytes -= size
            yield messages, peer
