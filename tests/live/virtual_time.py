"""Time that passes only while everyone waits, so that an hour of several threads takes seconds and is always the same.

Each thread of the show waits through `wait_until`. When the last of them waits, the clock jumps to the earliest moment
waited for and lets that one thread go on, alone; the order of threads that wait for one moment is that of their asking.
"""

from __future__ import annotations

import heapq
import threading

STUCK_S = 60.0
"""Of real time without anyone moving: a thread does something that this clock does not know of."""


class VirtualTime:
    """A `Clock` for `actors` threads. The show ends at `end_ns`: then every wait returns at once, its stop flag set."""

    def __init__(self, actors: int, end_ns: int) -> None:
        self._actors = actors
        self._end_ns = end_ns
        self._now_ns = 0
        self._asleep: list[tuple[int, int, threading.Event]] = []
        self._asked = 0
        self._lock = threading.Lock()
        self.over = threading.Event()

    def now(self) -> int:
        return self._now_ns

    def jump(self, by_ns: int) -> int:
        """Time passes and nobody notices: whoever waits wakes that much late. Called by the one thread that runs."""
        self._now_ns += by_ns
        return self._now_ns

    def wait_until(self, when_ns: int, stop: threading.Event) -> None:
        if when_ns <= self._now_ns and not self.over.is_set():
            return
        turn = threading.Event()
        with self._lock:
            if not self.over.is_set():
                self._asked += 1
                heapq.heappush(self._asleep, (when_ns, self._asked, turn))
                if len(self._asleep) == self._actors:
                    self._advance()
        if not (self.over.is_set() or turn.wait(STUCK_S)):
            self.over.set()
            raise TimeoutError(f"nobody moved for {STUCK_S:g} s; {len(self._asleep)} of {self._actors} wait")
        if self.over.is_set():
            stop.set()

    def _advance(self) -> None:
        """Wake the earliest. Under the lock."""
        when_ns, _, turn = heapq.heappop(self._asleep)
        if when_ns >= self._end_ns:
            self._now_ns = self._end_ns
            self.over.set()
            for _, _, each in self._asleep:
                each.set()
        self._now_ns = max(self._now_ns, min(when_ns, self._end_ns))
        turn.set()
