"""How long the stage waits for a worker, and how often it tries again."""

from __future__ import annotations

from dataclasses import dataclass

from streamvace.live.worker.pace import Pace


@dataclass(frozen=True)
class Limits:
    """Timeouts and retries. Generous: a slow machine is not a dead one.

    start_s: silence while loading and warming up. first_chunk_s: the first chunk. chunk_s: any later one, or
    `chunk_factor` times the recent median if that is longer. backoff_s: pauses before a restart, the last one repeated.
    attempts: starts that may fail before the first READY. steady_s: a worker that was ready for longer is not part of a
    crash loop; the next one starts immediately.
    """

    start_s: float = 600.0
    first_chunk_s: float = 180.0
    chunk_s: float = 30.0
    chunk_factor: float = 10.0
    backoff_s: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
    attempts: int = 3
    steady_s: float = 5.0

    def deadline_s(self, pace: Pace) -> float:
        """How long a chunk may take."""
        if pace.step_s <= 0:
            return self.first_chunk_s
        return max(self.chunk_s, self.chunk_factor * pace.step_s)

    def pause_s(self, crashes: int) -> float:
        """The pause after this many crashes in a row, from 1."""
        return self.backoff_s[min(crashes, len(self.backoff_s)) - 1]
