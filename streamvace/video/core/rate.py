"""Frame rates: as exact fractions, and as ticks of a clock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from fractions import Fraction

from streamvace.system.clock import Clock


def exact_rate(rate: float) -> Fraction:
    """Frames a second as the fraction that files and networks want: 29.97 is 30000/1001, as everywhere in video."""
    whole = round(rate)
    ntsc = Fraction(whole * 1000, 1001)
    if whole and abs(rate / float(ntsc) - 1) < 2e-4:
        return ntsc
    return Fraction(rate).limit_denominator(1000)


def ticks(clock: Clock, rate: float, stop: threading.Event) -> Iterator[int]:
    """The times of `rate` ticks a second, in nanoseconds of `clock`, each when it comes, until `stop` is set.

    The first comes at once. A tick that is late comes at once, and those after it are not early.
    """
    due_ns = clock.now()
    while not stop.is_set():
        yield due_ns
        due_ns = max(due_ns + round(1e9 / rate), clock.now())
        clock.wait_until(due_ns, stop)
