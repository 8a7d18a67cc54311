"""How early a change must be applied to be visible at the wanted time. Updated by the director, read by any thread."""

from __future__ import annotations

from collections import deque
from statistics import median_low

_RECENT_CHUNKS = 5
"""Chunks over which the median period is taken: a single hiccup must not shift every cue. Of an even number, the lower
of the middle two: then this holds from the second period on."""


class LookAhead:
    """Measures the delay from a chunk's start to the screen, and the period of chunks."""

    def __init__(self) -> None:
        self.seconds = 0.0
        """A change applied this long before a moment is visible from the chunk nearest to that moment.

        The delay to the screen plus half a period: the first chunk that starts after that is the nearest one.
        """
        self._started_ns: int | None = None
        self._periods_s: deque[float] = deque(maxlen=_RECENT_CHUNKS)

    def read(self) -> float:
        """`seconds`, as a method to pass on."""
        return self.seconds

    def chunk_starts(self, now_ns: int, step_s: float, backlog_s: float) -> None:
        """A chunk starts. step_s: time of a step. backlog_s: how long the frames queued before it will play."""
        if self._started_ns is not None:
            self._periods_s.append((now_ns - self._started_ns) / 1e9)
        self._started_ns = now_ns
        period_s = median_low(self._periods_s) if self._periods_s else step_s
        self.seconds = max(step_s, backlog_s) + period_s / 2

    def interrupted(self) -> None:
        """The show is paused: the time until the next chunk is not a period."""
        self._started_ns = None
