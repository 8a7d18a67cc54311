"""A delay-locked loop: the steady pulse behind ticks that arrive early and late.

The loop is that of Fons Adriaensen, "Using a DLL to filter time" (2005), which Ardour uses for MIDI clock: each tick's
error corrects the time of the next tick by `b` and the period by `c`. A loop that begins has the gains of a straight
line through all ticks so far, so it locks as fast as the jitter allows; they fall to those of a sixtieth of a hertz.
When the last errors agree that the pulse has changed, the loop begins anew with the last ticks.
"""

from __future__ import annotations

import math
from collections import deque

NARROWEST_HZ = 1 / 60
"""Bandwidth of a loop that has been locked for long: jitter is averaged over many beats."""
WINDOW = 10
"""Errors whose mean tells whether the pulse has changed."""
REPLAYED = 6
"""Ticks with which a loop begins anew."""
AGREE = 8
"""Last errors that must lie on one side: more than are replayed, because some before the change lie there by chance."""
SURE = 4.2
"""Standard deviations of that mean that count as a change; less would take jitter for one now and then."""
LEAST_JITTER_S = 0.0004
"""Of a clock that seems to have none: below this no ear and no chunk notices a change."""


class PhaseLock:
    """Ticks in, the position of the pulse out. Times are seconds on any clock."""

    def __init__(self, period_s: float) -> None:
        """period_s: the expected time between two ticks, until there are two."""
        self._period = period_s
        self._jitter = 0.0
        self._recent: deque[float] = deque(maxlen=REPLAYED)
        self._errors: deque[float] = deque(maxlen=WINDOW)
        self.restart()

    def restart(self) -> None:
        """Forget all ticks, but not the period."""
        self.ticks = 0
        self._age = 0
        self._at = self._next = 0.0
        self._recent.clear()
        self._errors.clear()

    @property
    def period_s(self) -> float:
        """The time between two ticks."""
        return self._period

    def tick(self, when: float) -> None:
        """One tick arrived."""
        self.ticks += 1
        self._recent.append(when)
        error = self._take(when)
        if self._age <= REPLAYED:
            return
        self._errors.append(error)
        if len(self._errors) == WINDOW and self._changed():
            self._begin_anew()
            return
        share = 1 / min(self._age - REPLAYED, 96)
        within = min(abs(error), 3 * self._jitter) if self._age > 3 * REPLAYED else abs(error)
        self._jitter += share * (within - self._jitter)

    def position(self, when: float) -> float:
        """Ticks since the first one, which is 0, with the fraction of the next."""
        return self.ticks - 1 + (when - self._at) / self._period

    def _take(self, when: float) -> float:
        """The error of a tick, in seconds, after the loop has followed it."""
        self._age += 1
        if self._age == 1:
            self._at, self._next = when, when + self._period
            return 0.0
        error = when - self._next
        n, omega = self._age, 2 * math.pi * NARROWEST_HZ * self._period
        b = max(2 * (2 * n - 1) / (n * (n + 1)), math.sqrt(2) * omega)
        c = max(6 / (n * (n + 1)), omega * omega)
        self._at = self._next + b * error
        self._period += c * error
        self._next = self._at + self._period
        return error

    def _changed(self) -> bool:
        # 1.25: from the mean of absolute errors to a standard deviation
        spread = 1.25 * max(self._jitter, LEAST_JITTER_S) / math.sqrt(WINDOW)
        mean = sum(self._errors) / WINDOW
        nearest = min(math.copysign(error, error * mean) for error in tuple(self._errors)[-AGREE:])
        one_sided = nearest > LEAST_JITTER_S / 4
        return one_sided and abs(mean) > SURE * spread

    def _begin_anew(self) -> None:
        self._age = 0
        self._errors.clear()
        first, *_, last = self._recent
        self._period = (last - first) / (len(self._recent) - 1)
        for when in self._recent:
            self._take(when)
