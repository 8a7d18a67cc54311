"""How early a change must be set to be seen when it should be. Fed by the director; anyone may read the answer."""

from __future__ import annotations

from collections import deque
from statistics import median

_RECENT_CHUNKS = 5
"""Of the time from chunk to chunk the median counts: one hiccup must not move every cue."""


class LookAhead:
    """Measures, at every chunk, the way from the chunk's start to the screen, and the time from chunk to chunk."""

    def __init__(self) -> None:
        self.seconds = 0.0
        """What is set this long before a moment is seen from the chunk nearest that moment on.

        It is the way to the screen and half a chunk: the first chunk that starts after that is the nearest one.
        """
        self._started_ns: int | None = None
        self._periods_s: deque[float] = deque(maxlen=_RECENT_CHUNKS)

    def read(self) -> float:
        """`seconds`, for whoever wants a function to call."""
        return self.seconds

    def chunk_starts(self, now_ns: int, step_s: float, backlog_s: float) -> None:
        """A chunk is begun. step_s: how long one takes; backlog_s: how long what is queued before it will play."""
        if self._started_ns is not None:
            self._periods_s.append((now_ns - self._started_ns) / 1e9)
        self._started_ns = now_ns
        period_s = median(self._periods_s) if self._periods_s else step_s
        self.seconds = max(step_s, backlog_s) + period_s / 2

    def interrupted(self) -> None:
        """A pause: the time until the next chunk says nothing."""
        self._started_ns = None
