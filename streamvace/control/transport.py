"""The show's one transport: tempo, beat and bar, led by a MIDI clock, by Link, or by a tempo that is set or tapped.

A master that is lost does not stop the beat: it runs on at the last tempo. Threads: any thread calls anything;
one lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from streamvace.control.beat_line import BeatLine
from streamvace.control.link import LinkClock
from streamvace.control.midi_clock import MidiClock
from streamvace.control.tap import FASTEST, SLOWEST, Taps
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError

NAMES: Final = {"midi": "the MIDI clock", "link": "the Ableton Link session"}
"""Masters that can be lost, as people call them."""

_FOLLOWS: Final = {"auto": ("midi", "link"), "midi": ("midi",), "link": ("link",)}
"""Choice of `/streamvace/tempo/master` -> what is followed if it is there, in order."""
_OWN: Final = ("auto", "own")
"""Choices with which a tempo of its own counts, if nothing that is followed is there."""


@dataclass(frozen=True)
class Moment:
    """The transport at one moment.

    beat: beats since beat 0. tempo: beats a minute; 0 without a tempo. running: whether the beat counts. master:
    `none`, `set`, `tap`, `link`, `midi`, or `free` after the loss of a master.
    """

    beat: float
    tempo: float
    running: bool
    master: str


NO_TRANSPORT: Final = Moment(0.0, 0.0, running=False, master="none")
"""Where a transport without a tempo is."""


class Transport:
    """One beat for the show."""

    def __init__(
        self,
        link: LinkClock | None = None,
        midi: MidiClock | None = None,
        *,
        lost: Callable[[str], None] = lambda line: None,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        """lost: gets one line when a master is lost; called by whoever reads the transport then."""
        self.link = link or LinkClock()
        self.midi = midi or MidiClock()
        self.losses = 0
        self._lost = lost
        self._clock = clock
        self._lock = threading.Lock()
        self._choice = "auto"
        self._own = 0.0
        self._line: BeatLine | None = None
        self._master = "none"
        self._followed = ""  # the master that leads now, or did before it was lost
        self._factor, self._offset = 1.0, 0.0  # of the master's beats
        self._taps = Taps()

    def choose(self, master: str) -> None:
        """Take a choice of `/streamvace/tempo/master`."""
        with self._lock:
            if master == self._choice:
                return
            now = self._now()
            self._settle(now)
            self._choice = master
            if self._followed not in _FOLLOWS.get(master, ()):
                self._let_go(now)

    def release_link(self) -> None:
        """The session was left on purpose: that is no loss."""
        with self._lock:
            if self._followed == "link":
                self._let_go(self._now())

    def set_tempo(self, tempo: float) -> None:
        """The transport's own tempo, in beats a minute; 0 for none."""
        with self._lock:
            tempo = min(max(tempo, SLOWEST), FASTEST) if tempo > 0 else 0.0
            if tempo == self._own:
                return
            self._own = tempo
            now = self._now()
            if not self._settle(now):
                self._let_go(now)

    def tap(self) -> float:
        """One tap. Returns the transport's own tempo, rounded; 0 while the taps are too few.

        Raises UserError while another master leads.
        """
        with self._lock:
            now = self._now()
            self._may_lead(now)
            self._taps.tap(now)
            tapped = self._taps.locked
            if tapped is None:
                return 0.0
            self._own, self._master = round(tapped.tempo, 1), "tap"
            counted = tapped.beat if self._line is None else round(self._line.beat_at(tapped.at))
            self._line = replace(tapped, beat=float(counted))
            return self._own

    def resync(self) -> None:
        """This moment is the first beat of a bar. Raises UserError without a tempo."""
        with self._lock:
            now = self._now()
            self._shift(now, -self._running_line(now, "resync").beat_at(now))

    def nudge(self, seconds: float) -> None:
        """Move the beat; positive is later. Raises UserError without a tempo."""
        with self._lock:
            now = self._now()
            line = self._running_line(now, "nudge")
            self._shift(now, -seconds * line.tempo / 60)

    def scale(self, factor: float) -> float:
        """Count twice as fast (2.0) or half (0.5). Returns the transport's own tempo, 0 while a master leads.

        Raises UserError without a tempo, and outside 20..300 beats a minute.
        """
        with self._lock:
            now = self._now()
            line = self._running_line(now, "double and half")
            tempo = line.tempo * factor
            if not SLOWEST <= tempo <= FASTEST:
                raise UserError(f"the tempo is {SLOWEST:g} to {FASTEST:g} beats/min, got {tempo:.1f}")
            self._line = line.scaled(now, factor, tempo)
            if self._followed:
                self._factor *= factor
                self._offset *= factor
                return 0.0
            self._own = round(tempo, 1)
            return self._own

    def now(self) -> Moment:
        """Where the transport is."""
        with self._lock:
            now = self._now()
            told = self._settle_and_tell(now)
            line, master = self._line, self._master
        for each in told:
            self._lost(each)
        if line is None:
            return NO_TRANSPORT
        return Moment(line.beat_at(now), line.tempo, line.running, master)

    @property
    def has_master(self) -> bool:
        """Whether there is a beat already, or a MIDI clock may still come."""
        return self.midi.expected or self.now().master != "none"

    def taps(self) -> tuple[int, float]:
        """Taps of the series that goes on, and the tempo they show, in beats a minute; 0 and 0.0 after its end."""
        with self._lock:
            return (0, 0.0) if self._taps.ended(self._now()) else (self._taps.count, self._taps.shown)

    def _now(self) -> float:
        return self._clock() / 1e9

    def _leads(self, now: float) -> tuple[str, BeatLine] | None:
        """The master that leads, and what it says: the first that runs, or else the first that is there."""
        found = []
        for name in _FOLLOWS.get(self._choice, ()):
            reading = self.midi.reading(now) if name == "midi" else self.link.reading(now)
            if reading is not None:
                found.append((name, reading))
        return next((each for each in found if each[1].running), found[0] if found else None)

    def _settle(self, now: float) -> bool:
        """Follow the master that leads; whether there is one."""
        leads = self._leads(now)
        if leads is None:
            return False
        name, said = leads
        if name != self._followed:
            self._followed, self._factor, self._offset = name, 1.0, 0.0
        self._master = name
        self._line = said.scaled(now, self._factor, said.tempo * self._factor).moved(now, self._offset)
        return True

    def _settle_and_tell(self, now: float) -> list[str]:
        if self._settle(now) or not self._followed or self._master == "free":
            return []
        self._master = "free"
        closed = self._followed == "midi" and self.midi.closed
        self.losses += not closed
        why = "the MIDI input was closed" if closed else f"{NAMES[self._followed]} is gone"
        tempo = 0.0 if self._line is None else self._line.tempo
        return [f"{why}; the beat runs on at {tempo:.1f} beats/min"]

    def _let_go(self, now: float) -> None:
        """Follow nothing: the beat runs on at the transport's own tempo, or ends without one."""
        self._followed, self._factor, self._offset = "", 1.0, 0.0
        if self._choice not in _OWN or not self._own:
            self._line, self._master = None, "none"
            return
        own = BeatLine(now, 0.0, self._own)
        self._line = own if self._line is None else replace(own, beat=self._line.beat_at(now))
        self._master = "set"

    def _shift(self, now: float, beats: float) -> None:
        line = self._running_line(now, "a shift")
        self._offset += beats
        self._line = line.moved(now, beats)

    def _running_line(self, now: float, what: str) -> BeatLine:
        self._settle(now)
        if self._line is None:
            raise UserError(f"{what} needs a tempo: tap it, set /streamvace/tempo/bpm, or start a clock")
        return self._line

    def _may_lead(self, now: float) -> None:
        if self._settle(now):
            raise UserError(f"{NAMES[self._followed]} leads; set /streamvace/tempo/master to own first")
        if self._choice not in _OWN:
            raise UserError(f"/streamvace/tempo/master is {self._choice}; set it to own or auto first")
        if self._master == "free":
            self._followed, self._factor, self._offset, self._master = "", 1.0, 0.0, "tap"
