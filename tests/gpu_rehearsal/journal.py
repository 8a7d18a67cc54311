"""What happened on a fake card, in order."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Literal, NamedTuple

import streamvace

PACKAGE = str(Path(streamvace.__file__).parent)

Kind = Literal[
    "kernel", "wait", "upload", "queued upload", "download", "between cards", "record", "await", "graph", "cross",
    "free",
]  # fmt: skip


class Entry(NamedTuple):
    """One event.

    kind: `kernel`: an operation that computes; `wait`: the host waits for the card; `upload`: a copy to the card that
    blocks the host; `queued upload`, `download`, `between cards`: copies that do not; `record` and `await`: an event is
    recorded in a stream, or a stream is told to wait for it; `graph`: a captured graph is replayed; `cross`: the
    allocator is told that another stream uses a storage (`record_stream`); `free`: a storage has no tensor any more.
    name: of the operation. line: file and line of the project that caused it. stream: number of the stream, 0 by
    default, 1000 on the second card. tensors: (storage, shape) of each tensor of the card that it reads or writes.
    writes: the storages that it writes. event: number of the event of `record`, `await` and a `wait` for one.
    """

    kind: Kind
    name: str
    line: str
    stream: int
    tensors: tuple[tuple[int, tuple[int, ...]], ...] = ()
    writes: frozenset[int] = frozenset()
    event: int = 0


class Journal:
    """The events since the last `clear`."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)

    def clear(self) -> None:
        self.entries.clear()

    def count(self, kind: Kind) -> int:
        return sum(entry.kind == kind for entry in self.entries)

    def by_line(self, kind: Kind) -> Counter[tuple[str, str]]:
        """Number of events of this kind by line and name."""
        return Counter((entry.line, entry.name) for entry in self.entries if entry.kind == kind)


def line_of_project() -> str:
    """`folder/file.py:line` of the innermost frame inside the package; `tests` if there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(PACKAGE):
            return f"{name[len(PACKAGE) + 1 :]}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return "tests"
