"""How much is queued for the output."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Backlog:
    """Written by the output clock, read by whoever decides when the next chunk is made.

    Needs no lock: one thread writes at a time, under the playhead's lock, and a reader needs no two fields of one
    moment. queued: content frames not shown yet. play_rate: content frames a second. rate: output ticks a second.
    """

    play_rate: float
    rate: float
    queued: int = 0

    @property
    def seconds(self) -> float:
        """How long the queue lasts at the play rate."""
        return self.queued / self.play_rate
