"""Time that passes only while everyone waits, so that an hour of several threads takes seconds and is always the same.

Each thread of the show waits through `wait_until`. When the last of them waits, the clock jumps to the earliest moment
waited for and lets that one thread go on, alone; the order of threads that wait for one moment is that of their asking.
"""

from __future__ import annotations

import heapq
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.patience import PATIENCE_S


@contextmanager
def on_one_core() -> Iterator[None]:
    """Threads that are started in this block stay on one core: turns between two cores take three times as long."""
    if sys.platform != "linux":
        yield
        return
    cores = sorted(os.sched_getaffinity(0))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    os.sched_setaffinity(0, {cores[worker % len(cores)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


class VirtualTime:
    """A `Clock` for `actors` threads. The show ends at `end_ns`: then every wait returns at once, its stop flag set."""

    def __init__(self, actors: int, end_ns: int) -> None:
        self._actors = actors
        self._end_ns = end_ns
        self._now_ns = 0
        self._asleep: list[tuple[int, int, threading.Lock]] = []
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
        turn = threading.Lock()  # an hour has a million turns, and an Event costs several times as much
        turn.acquire()
        with self._lock:
            if not self.over.is_set():
                self._asked += 1
                heapq.heappush(self._asleep, (when_ns, self._asked, turn))
                if len(self._asleep) == self._actors:
                    self._advance()
        if not (self.over.is_set() or turn.acquire(timeout=PATIENCE_S)):
            self.over.set()
            raise TimeoutError(f"nobody moved for {PATIENCE_S:g} s; {len(self._asleep)} of {self._actors} wait")
        if self.over.is_set():
            stop.set()
            time.sleep(
                0.001
            )  # whoever asks again until it is told to end leaves the processor to the one that tells it

    def _advance(self) -> None:
        """Wake the earliest. Under the lock."""
        when_ns, _, turn = heapq.heappop(self._asleep)
        if when_ns >= self._end_ns:
            self._now_ns = self._end_ns
            self.over.set()
            for _, _, each in self._asleep:
                each.release()
        self._now_ns = max(self._now_ns, min(when_ns, self._end_ns))
        turn.release()
