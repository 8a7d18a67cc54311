"""The show's clock, and waiting for a moment of it."""

from __future__ import annotations

import threading
import time
from typing import Protocol

now_ns = time.perf_counter_ns
"""The show's clock, in nanoseconds.

perf_counter is monotonic, shared by all processes of a machine on Windows (QPC), Linux and macOS, and fine-grained
everywhere; time.monotonic has 15 ms steps on Windows before Python 3.13.
"""


class Clock(Protocol):
    """What a paced thread needs of time. Tests hand in one that they move by hand."""

    def now(self) -> int:
        """Nanoseconds."""

    def wait_until(self, when_ns: int, stop: threading.Event) -> None:
        """Return at `when_ns`, at once if that is past, and soon after `stop` is set."""


class ShowClock:
    """The real one: `now_ns`."""

    # Windows wakes an Event.wait only on its 15.6 ms timer, while time.sleep is fine-grained there; so the last stretch
    # is slept, and a close is noticed at most this much later.
    SLEEP_SECONDS = 0.03

    def now(self) -> int:
        return now_ns()

    def wait_until(self, when_ns: int, stop: threading.Event) -> None:
        ahead = (when_ns - now_ns()) / 1e9
        if ahead > self.SLEEP_SECONDS:
            stop.wait(ahead - self.SLEEP_SECONDS)
        ahead = (when_ns - now_ns()) / 1e9
        if ahead > 0 and not stop.is_set():
            time.sleep(ahead)
