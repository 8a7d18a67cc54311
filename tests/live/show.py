"""Helpers of the live tests: frames, a clock moved by hand, and waiting for a condition instead of for a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from streamvace.live.output.playhead import ContentFrame
from streamvace.records.frame import Frame, Made
from tests.patience import PATIENCE_S

SIZE = (64, 64)
SECOND = 1_000_000_000


def picture(value: int = 0, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    return np.full((size[1], size[0], 4), value % 256, dtype=np.uint8)


def frame(captured_ns: int, value: int = 0, sequence: int = 0, size: tuple[int, int] = SIZE) -> Frame:
    return Frame(picture(value, size), captured_ns, "test", sequence)


def content(value: int, generation: int = 0, captured_ns: int = 0) -> ContentFrame:
    return ContentFrame(picture(value, (2, 2)), Made(0, 0, generation), captured_ns)


def wait_until(reached: Callable[[], bool], what: str) -> None:
    """Return as soon as it is true; fail with `what` after a generous time."""
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S:g} s: {what}"
        time.sleep(0.01)


class HandClock:
    """A show clock that is at once at the moment waited for, plus whatever `late` says; the show ends at `end_ns`."""

    def __init__(self, end_ns: int, late: Callable[[int], int] = lambda when: 0) -> None:
        self.time_ns = 0
        self._end_ns = end_ns
        self._late = late

    def now(self) -> int:
        return self.time_ns

    def wait_until(self, when_ns: int, stop: threading.Event) -> None:
        if when_ns >= self._end_ns:
            stop.set()
            return
        self.time_ns = max(self.time_ns, when_ns + self._late(when_ns))
