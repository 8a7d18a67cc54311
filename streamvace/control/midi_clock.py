"""The beat of a MIDI clock: 24 ticks a beat, start, stop, continue and song position.

Threads: the MIDI thread feeds it, any thread reads; one lock.
"""

from __future__ import annotations

import threading
from typing import Final

from streamvace.control.beat_line import BeatLine
from streamvace.control.phase_lock import PhaseLock

TICKS: Final = 24
"""Ticks a beat."""
TICKS_A_SIXTEENTH: Final = 6
"""Ticks of a unit of the song position."""
LOST_S: Final = 0.25
"""A clock that has not ticked for so long is gone; two ticks at 20 beats a minute are half of this apart."""

_USUAL: Final = 120.0


class MidiClock:
    """One clock. Times are seconds on the show's clock, taken when the message arrived.

    expected: whether MIDI is open, so that a clock may come. closed: whether it was, and is no longer.
    """

    def __init__(self) -> None:
        self.expected = self.closed = False
        self._lock = threading.Lock()
        self._pulse = PhaseLock(60 / _USUAL / TICKS)
        self._last: float | None = None
        self._running = False
        self._stopped = False
        self._from = 0  # the song position of the next tick after a start, in ticks
        self._offset = 0  # song position of the pulse's first tick, in ticks
        self._waits = False  # for the first tick after a start

    def open(self) -> None:
        """A clock may come."""
        self.expected, self.closed = True, False

    def close(self) -> None:
        """No clock comes any more: that is no loss."""
        with self._lock:
            self.expected, self.closed = False, self.expected or self.closed
            self._break_off()
            self._last, self._running, self._waits, self._stopped = None, False, False, False

    def tick(self, when: float) -> None:
        """A timing clock (0xF8)."""
        with self._lock:
            if self._last is not None and when - self._last > LOST_S:
                self._break_off()
            self._last = when
            self._pulse.tick(when)
            if self._waits:
                # The first tick after a start is the position itself, not one tick after it.
                self._offset = self._from - (self._pulse.ticks - 1)
                self._waits, self._running = False, True
            elif not self._running and not self._stopped:
                self._running = True  # it was joined in the middle: only a start could tell where the beat is

    def start(self) -> None:
        """Start (0xFA): the next tick is beat 0."""
        with self._lock:
            self._from, self._waits, self._stopped = 0, True, False

    def go_on(self) -> None:
        """Continue (0xFB): the next tick is the song position."""
        with self._lock:
            self._waits, self._stopped = True, False

    def stop(self) -> None:
        """Stop (0xFC): the beat stands where it is."""
        with self._lock:
            if self._running and self._pulse.ticks:
                self._from = self._offset + self._pulse.ticks
            self._running, self._waits, self._stopped = False, False, True

    def locate(self, sixteenths: int) -> None:
        """Song position (0xF2), 0..16383, for the next start or continue."""
        with self._lock:
            self._from = sixteenths * TICKS_A_SIXTEENTH
            if self._running:
                self._waits = True

    def reading(self, now: float) -> BeatLine | None:
        """What the clock says; None if it does not tick. A clock that was stopped may be silent: it is not gone."""
        with self._lock:
            if self._last is None or (now - self._last > LOST_S and not self._stopped):
                return None
            tempo = 60 / TICKS / self._pulse.period_s
            if self._stopped or self._waits:
                return BeatLine(now, self._from / TICKS, tempo, running=False)
            return BeatLine(now, (self._offset + self._pulse.position(now)) / TICKS, tempo, self._running)

    def _break_off(self) -> None:
        """The clock comes again after a silence. Ticks were missed, so the count goes on from the last one."""
        self._offset += self._pulse.ticks
        self._pulse.restart()
