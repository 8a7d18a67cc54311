"""Messages with a time tag in the future. No clock, no I/O: the caller passes the time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count

from streamvace.osc.codec import Message
from streamvace.osc.peer import Peer

HORIZON = 300.0
"""Seconds. A time tag further ahead means a wrong clock or a hostile sender, and is refused."""
MAX_BYTES = 1 << 20
"""Bytes of all waiting datagrams."""
MAX_ENTRIES = 1024


class Schedule:
    """Two bounded heaps of (due, order, size, messages, sender): set ahead of their time, or on time."""

    def __init__(self) -> None:
        self._heaps: dict[bool, list[tuple[float, int, int, tuple[Message, ...], Peer]]] = {False: [], True: []}
        self._order = count()
        self._bytes = 0

    def __len__(self) -> int:
        return sum(map(len, self._heaps.values()))

    def add(self, due: float, now: float, messages: tuple[Message, ...], peer: Peer, size: int, *, ahead: bool) -> str:
        """Keep messages until `due`, in seconds on the clock of `now`. size: bytes of their datagram.

        ahead: they shape chunks, so they must be set some time before they are seen.
        Returns one line on why they are refused, or an empty string.
        """
        if due - now > HORIZON:
            return f"time tag {due - now:.0f} s ahead, the limit is {HORIZON:.0f} s"
        if len(self) >= MAX_ENTRIES or self._bytes + size > MAX_BYTES:
            return f"{len(self)} bundles of {self._bytes} bytes are waiting, no room for {size} bytes more"
        heapq.heappush(self._heaps[ahead], (due, next(self._order), size, messages, peer))
        self._bytes += size
        return ""

    def next_due(self, look_ahead: float) -> float | None:
        """When the next messages must be set, or None. look_ahead: how many seconds early the ones ahead are set."""
        times = [heap[0][0] - look_ahead * ahead for ahead, heap in self._heaps.items() if heap]
        return min(times, default=None)

    def pop_due(self, now: float, look_ahead: float) -> Iterator[tuple[tuple[Message, ...], Peer]]:
        """Remove and yield everything due at `now`, earliest first, in order of arrival at the same time."""
        due = []
        for ahead, heap in self._heaps.items():
            while heap and heap[0][0] <= now + look_ahead * ahead:
                due.append(heapq.heappop(heap))
        for _, _, size, messages, peer in sorted(due, key=lambda entry: entry[:2]):
            self._bytes -= size
            yield messages, peer
