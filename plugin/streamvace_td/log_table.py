"""The component's log as a table of limited length, the newest line last."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from streamvace_td.td_api import Component, Operator

HEAD = ["seconds", "from", "line"]
LONGEST = 200
"""Rows. The complete log of the process is in its log file."""
ROWS_A_FRAME = 20


class LogTable:
    """Lines wait in memory and are written at the end of a frame. Main thread only."""

    def __init__(self, owner: Component, clock: Callable[[], float]) -> None:
        self._table: Operator | None = owner.op("log")
        self._clock = clock
        self._begun = clock()
        self._waiting: deque[list[str]] = deque(maxlen=LONGEST)
        if self._table is not None:
            self._table.clear()
            self._table.appendRow(HEAD)

    def add(self, source: str, line: str) -> None:
        """Add a line. source: component, install, process, status or osc."""
        self._waiting.append([f"{self._clock() - self._begun:.1f}", source, line])

    def flush(self) -> None:
        """Write some of the waiting lines."""
        if self._table is None:
            return
        for _ in range(min(ROWS_A_FRAME, len(self._waiting))):
            self._table.appendRow(self._waiting.popleft())
            if self._table.numRows > LONGEST + 1:
                self._table.deleteRow(1)
