"""Modulators on the time of a film: a render has no clock, and its beat is the tempo of its parameters."""

from __future__ import annotations

import osc_schema
from streamvace.control.beats import BPM
from streamvace.control.parameters import Snapshot
from streamvace.control.transport import Moment
from streamvace.modulators.modulators import Modulators


class FilmTime:
    """The moment of the picture that is made, in seconds from the film's first one."""

    def __init__(self, rate: float) -> None:
        """rate: pictures a second."""
        self._rate = rate
        self._pictures = 0
        self._seconds = 0.0
        self._tempo = 0.0
        self._modulators = Modulators(osc_schema.by_address(), self._beat, self.clock)
        self._generator = self._modulators.lane("next_chunk")
        self._output = self._modulators.lane("next_tick")

    def clock(self) -> int:
        """Nanoseconds."""
        return round(self._seconds * 1e9)

    def follow(self, snapshot: Snapshot) -> None:
        """Take what the parameters say. Raises UserError for a modulator whose target cannot move."""
        self._tempo = snapshot.number(BPM)
        for error in self._modulators.follow(snapshot).values():
            raise error

    def of_chunk(self, snapshot: Snapshot, pictures: int) -> Snapshot:
        """With the modulators in the middle of the chunk that comes next."""
        self._seconds = (self._pictures + pictures / 2) / self._rate
        return self._generator(snapshot)

    def of_picture(self, snapshot: Snapshot) -> Snapshot:
        """With the modulators of the next picture."""
        self._seconds = self._pictures / self._rate
        self._pictures += 1
        return self._output(snapshot)

    def _beat(self) -> Moment:
        return Moment(self._seconds * self._tempo / 60, self._tempo, running=self._tempo > 0, master="set")
