"""The show's clock, and how to wait for a point in time on it."""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

now_ns = time.perf_counter_ns
"""The show's clock, in nanoseconds.

perf_counter is monotonic, has a fine resolution everywhere, and is shared by all processes of a machine on Windows
(QPC), Linux and macOS. time.monotonic has 15 ms steps on Windows before Python 3.13.
"""

STALL_NS = 1_000_000_000
"""A thread that wakes later than this did not run: the program was stopped (SIGSTOP, a debugger) or the machine slept.

Far above what a busy machine delays a thread by, and below the shortest limit that a stall must not use up.
"""


@contextmanager
def fine_timer() -> Iterator[None]:
    """On Windows, wake waiting threads to the millisecond while this is open; nothing elsewhere.

    Its timer ticks every 15.6 ms otherwise: half a picture's time at 30 a second. `Event.wait` follows it in every
    version of Python, `time.sleep` in 3.10.
    """
    if sys.platform == "win32":
        library = ctypes.WinDLL("winmm")
        granted = library.timeBeginPeriod(1) == 0
        try:
            yield
        finally:
            if granted:
                library.timeEndPeriod(1)
    else:
        yield


class Clock(Protocol):
    """The time functions of a paced thread. Tests pass a clock that they move by hand."""

    def now(self) -> int:
        """Nanoseconds."""

    def wait_until(self, when_ns: int, stop: threading.Event) -> None:
        """Return at `when_ns`, immediately if that is past, and soon after `stop` is set."""


class AwakeTime:
    """How long a thread has waited, measured by a thread that looks every few milliseconds.

    Between two looks at most `STALL_NS` count: what is longer was no waiting, but a process that did not run.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.restart()

    def restart(self) -> None:
        """Count from now."""
        self._looked_ns, self._waited_ns = self._clock.now(), 0

    def seconds(self) -> float:
        """Look at the clock; the seconds waited so far."""
        now_ns = self._clock.now()
        self._waited_ns += min(now_ns - self._looked_ns, STALL_NS)
        self._looked_ns = now_ns
        return self._waited_ns / 1e9


class ShowClock:
    """The real clock: `now_ns`."""

    SLEEP_SECONDS = 0.03
    """The end of a wait that uses time.sleep: Windows wakes Event.wait only on its 15.6 ms timer. `stop` is noticed at
    most this much later."""

    def now(self) -> int:
        return now_ns()

    def wait_until(self, when_ns: int, stop: threading.Event) -> None:
        ahead = (when_ns - now_ns()) / 1e9
        if ahead > self.SLEEP_SECONDS:
            stop.wait(ahead - self.SLEEP_SECONDS)
        ahead = (when_ns - now_ns()) / 1e9
        if ahead > 0 and not stop.is_set():
            time.sleep(ahead)
