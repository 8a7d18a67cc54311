"""What a card may run at the same time, from the journal: streams, events, and what the host waited for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.gpu_rehearsal.journal import Entry, Journal

HOST = -1

Clock = dict[int, int]
"""For each stream, how many of its entries have happened."""


@dataclass
class _Storage:
    """Who used a storage last: for each stream, the count of its last read and write."""

    reads: Clock = field(default_factory=dict)
    writes: Clock = field(default_factory=dict)
    told: set[int] = field(default_factory=set)


class Order:
    """Which entries are certain to be over before which. Two entries without an order may run at the same time.

    An entry follows the earlier ones of its stream, what its stream awaited, and what the host had waited for.
    races: pairs of lines that use a storage at the same time, one of them writing it. Memory that was freed is written
    by the next tensor of the stream that made it, unless the allocator was told of the other stream.
    """

    def __init__(self, journal: Journal) -> None:
        self.entries = journal.entries
        self.races: list[str] = []
        self._clocks: list[Clock] = []
        self._now: dict[int, Clock] = {HOST: {}}
        self._events: dict[int, Clock] = {}
        self._storages: dict[int, _Storage] = {}
        self._freed: dict[int, list[int]] = {}
        self._lines: dict[tuple[int, int], str] = {}
        for entry in self.entries:
            self._follow(entry)
            self._clocks.append(dict(self._now.get(entry.stream, {})))

    def before(self, first: int, second: int) -> bool:
        """Whether the entry of index `first` is over when the entry `second` begins."""
        stream = self.entries[first].stream
        return self._clocks[first][stream] <= self._clocks[second].get(stream, 0)

    def _follow(self, entry: Entry) -> None:
        if entry.kind == "free":
            self._freed.setdefault(entry.stream, []).extend(number for number, _ in entry.tensors)
            return
        if entry.kind == "cross":
            for number, _ in entry.tensors:
                self._storages.setdefault(number, _Storage()).told.add(entry.stream)
            return
        now = self._now.setdefault(entry.stream, {})
        _merge(now, self._now[HOST])
        now[entry.stream] = now.get(entry.stream, 0) + 1
        self._lines[entry.stream, now[entry.stream]] = f"{entry.line} ({entry.name})"
        if entry.kind == "record":
            self._events[entry.event] = dict(now)
        elif entry.kind == "await":
            _merge(now, self._events[entry.event])
        elif entry.kind == "wait":
            _merge(self._now[HOST], self._events.get(entry.event, now) if entry.event else now)
        for number in self._freed.pop(entry.stream, []) if entry.writes else ():
            self._use(entry, number, now, writes=True, told=True)
        for number in {number for number, _ in entry.tensors}:
            self._use(entry, number, now, writes=number in entry.writes)

    def _use(self, entry: Entry, number: int, now: Clock, writes: bool, told: bool = False) -> None:
        storage = self._storages.setdefault(number, _Storage())
        others: Iterable[tuple[int, int]] = storage.writes.items()
        if writes:
            others = [*others, *storage.reads.items()]
        for stream, count in others:
            if count > now.get(stream, 0) and not (told and stream in storage.told):
                self.races.append(f"{self._lines[stream, count]} and {entry.line} ({entry.name})")
        (storage.writes if writes else storage.reads)[entry.stream] = now[entry.stream]


def _merge(clock: Clock, other: Clock) -> None:
    for stream, count in other.items():
        clock[stream] = max(clock.get(stream, 0), count)
