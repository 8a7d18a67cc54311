"""The component's log as a table: a few lines a frame, the newest at the end, never longer than fits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from streamvace_td.td_api import Component, Operator

HEAD = ("seconds", "from", "line")
LONGEST = 200
"""Rows; the whole log is the process's file."""
ROWS_A_FRAME = 20


class LogTable:
    """Lines wait in memory and are written at the end of a frame. Main thread only."""

    def __init__(self, owner: Component, clock: Callable[[], float]) -> None:
        self._table: Operator | None = owner.op("log")
        self._clock = clock
        self._begun = clock()
        self._waiting: deque[tuple[str, str, str]] = deque(maxlen=LONGEST)
        if self._table is not None:
            self._table.clear()
            self._table.appendRow(HEAD)

    def add(self, source: str, line: str) -> None:
        """A line, by whom."""
        self._waiting.append((f"{self._clock() - self._begun:.1f}", source, line))

    def flush(self) -> None:
        """Write what waits."""
        if self._table is None:
            return
        for _ in range(min(ROWS_A_FRAME, len(self._waiting))):
            self._table.appendRow(self._waiting.popleft())
            if self._table.numRows > LONGEST + 1:
                self._table.deleteRow(1)
