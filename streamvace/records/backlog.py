"""The backlog: how much generated content is queued for the output."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Backlog:
    """A counter: the presenter writes it, the director reads it to decide when the next chunk is made.

    Needs no lock: all writes are under the playhead's lock, and no reader needs two fields of the same moment.
    queued: generated frames not shown yet. play_rate: generated frames played a second. rate: output ticks a second.
    reserve: frames that must be there before they are due.
    """

    play_rate: float
    rate: float
    queued: int = 0
    reserve: int = 0

    @property
    def seconds(self) -> float:
        """How long the queue lasts at the play rate."""
        return self.queued / self.play_rate

    @property
    def spare_s(self) -> float:
        """How long it is until the next chunk is missed."""
        return max(0, self.queued - self.reserve) / self.play_rate
