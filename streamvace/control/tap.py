"""A tempo that is tapped."""

from __future__ import annotations

from typing import Final

from streamvace.control.beat_line import BeatLine

SLOWEST: Final = 20.0
FASTEST: Final = 300.0
"""The range of every tempo, in beats a minute."""
SHOWN: Final = 2
"""Taps after which a tempo is shown."""
LOCKED: Final = 4
"""Taps after which it counts."""
OFF: Final = 0.3
"""An interval that differs more than this from the others is a slip."""
PAUSE_S: Final = 2.0
"""After a pause as long as this the taps begin anew."""
MOST: Final = 16
"""Taps that count; older ones are forgotten, so that the hand can follow the music."""
SLIPS: Final = 2
"""Slips in a row after which the taps begin anew: the music is faster or slower than the first taps."""


class Taps:
    """Taps in, tempo out. Times are seconds."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._last = float("-inf")
        self._slips: list[float] = []

    @property
    def count(self) -> int:
        """Taps of this series that count."""
        return len(self._times)

    @property
    def shown(self) -> float:
        """The tempo so far, in beats a minute; 0 before the second tap."""
        return self._line().tempo if self.count >= SHOWN else 0.0

    @property
    def locked(self) -> BeatLine | None:
        """The tempo and its beat, once there are enough taps; the first tap of the series is beat 0."""
        return self._line() if self.count >= LOCKED else None

    def ended(self, now: float) -> bool:
        """Whether the next tap begins anew."""
        return now - self._last > PAUSE_S

    def tap(self, now: float) -> bool:
        """One tap; False for a slip, which does not count."""
        if self.ended(now):
            self._times.clear()
            self._slips.clear()
        counts = self._counts(now)
        self._last = now
        if counts:
            self._times = [*self._times, now][-MOST:]
            self._slips.clear()
            return True
        self._slips.append(now)
        if len(self._slips) > SLIPS:
            self._times, self._slips = self._slips[-SLIPS:], []
        return False

    def _counts(self, now: float) -> bool:
        if not self._times:
            return True
        interval = now - self._times[-1]
        if not 60 / FASTEST <= interval <= 60 / SLOWEST:
            return False
        usual = 60 / self.shown if self.count >= SHOWN else interval
        return abs(interval - usual) <= OFF * usual

    def _line(self) -> BeatLine:
        """The straight line through the taps: least squares of their times over their numbers. It begins at the last
        one, without the slips of the hand."""
        n = len(self._times)
        middle, mean = (n - 1) / 2, sum(self._times) / n
        across = sum((i - middle) * (when - mean) for i, when in enumerate(self._times))
        period = across / sum((i - middle) ** 2 for i in range(n))
        return BeatLine(mean + middle * period, n - 1.0, min(max(60 / period, SLOWEST), FASTEST))
