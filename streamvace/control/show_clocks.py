"""The clocks that cues can come by themselves on, and which cue's time has come. Pure but for the show's own clock.

Threads: any thread starts, stops, moves and reads the show's clock; a Chase belongs to the OSC thread.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from streamvace.system.clock import now_ns

SLACK: Final = 1.0
"""Seconds, or beats: a clock that goes back by less is nudged or unsteady, and recalls nothing for the second time."""


@dataclass(frozen=True)
class Place:
    """Where a clock is.

    at: seconds, or beats since beat 0. speed: of these in a second; 0 for a clock that stands. unit: beats of a bar, or
    frames of a second, which the times of cues are counted in.
    """

    at: float
    speed: float
    unit: int = 1

    def ahead(self, seconds: float) -> float:
        """Where it will be, as far as one knows."""
        return self.at + seconds * self.speed


class ShowClock:
    """Seconds since the show was started. It stands at 0 until then."""

    def __init__(self, clock: Callable[[], int] = now_ns) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._began_ns: int | None = None

    def start(self) -> None:
        """It is 0 now, and runs."""
        with self._lock:
            self._began_ns = self._clock()

    def stop(self) -> None:
        """It stands, until it is started again at 0."""
        with self._lock:
            self._began_ns = None

    def move(self, seconds: float) -> None:
        """It is at this time now, if it runs."""
        with self._lock:
            if self._began_ns is not None:
                self._began_ns = self._clock() - round(seconds * 1e9)

    def place(self) -> Place | None:
        """None while it stands."""
        with self._lock:
            began_ns = self._began_ns
        return None if began_ns is None else Place((self._clock() - began_ns) / 1e9, 1.0)


class Chase:
    """Finds the cue whose time has come on one clock.

    A clock that jumps, or is heard for the first time, brings the cue that belongs to its new place: the last one whose
    time is over. Of several that have come since the last look, only the last counts.
    """

    def __init__(self) -> None:
        self._reached: float | None = None

    def look(self, place: float | None, times: Sequence[float]) -> int | None:
        """The index of the time that has come since the last look. place: None for no clock. times: in rising order."""
        if place is None:
            self._reached = None
            return None
        reached = self._reached
        if reached is not None and reached - SLACK <= place <= reached:
            return None
        self._reached = place
        index = bisect_right(times, place) - 1
        since = -1.0 if reached is None or place < reached else reached
        return index if index >= 0 and times[index] > since else None

    def passed(self, place: float | None) -> None:
        """Everything up to here has come already. place: None for no clock."""
        self._reached = place
