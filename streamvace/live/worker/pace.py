"""The pace of chunks, and what follows from it: the play rate, and when to ask for the next chunk. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

_RECENT_CHUNKS = 8
"""Enough to measure the jitter of a busy machine. Up to three stalls leave their median alone, and a lasting change of
the step time is followed after five chunks. Even, so that the median of two alternating times lies between them."""

_DEVIATION = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation, which one stall does not move."""

_PLAY_MARGIN = 0.98
"""Play slightly slower than chunks are made, so that the queue grows slowly and does not run empty."""

_SLOWEST_RATE = 1.0
"""Frames a second; below this, late chunks are bridged instead of playing slower."""

_MAX_CUSHION_SHARE = 0.5
"""The cushion never costs more than half a chunk of latency."""


@dataclass(frozen=True)
class Pace:
    """Recent chunk times; a stalled chunk among them moves none of the three.

    fps: median frames per second of work. step_s: median time of a step. jitter_s: its robust standard deviation.
    """

    fps: float
    step_s: float
    jitter_s: float

    def play_rate(self, nominal_rate: float) -> float:
        """Generated frames a second to play: never above the nominal rate, a little below the rate they are made.

        Jitter lowers the rate: the frames of a slow chunk must last until the next one.
        """
        if self.step_s <= 0:
            return nominal_rate
        steady = self.step_s / (self.step_s + self.jitter_s)
        return min(nominal_rate, max(_SLOWEST_RATE, _PLAY_MARGIN * self.fps * steady))

    def wait_s(self, backlog_s: float, tick_s: float) -> float:
        """How long to withhold the next chunk, so that it arrives when only a small cushion is left to play.

        A later start samples newer control frames and parameters; a start that is too late starves the output.
        """
        # Two ticks for the hand-over on either side, and twice the deviation for a slow chunk.
        cushion_s = 2 * tick_s + min(2 * self.jitter_s, _MAX_CUSHION_SHARE * self.step_s)
        return max(0.0, backlog_s - self.step_s - cushion_s)


class PaceMeter:
    """Keeps the last few chunk times. Owned by the engine thread."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, float]] = deque(maxlen=_RECENT_CHUNKS)

    def record(self, frames: int, seconds: float) -> Pace:
        """Add one chunk of `frames` frames whose step took `seconds`; returns the new pace."""
        self._recent.append((frames, max(seconds, 1e-6)))
        return self.pace()

    def pace(self) -> Pace:
        """The recent pace; all zeros before the first chunk, which withholds nothing."""
        if not self._recent:
            return Pace(fps=0.0, step_s=0.0, jitter_s=0.0)
        times = [seconds for _, seconds in self._recent]
        step_s = median(times)
        return Pace(
            fps=median(frames / seconds for frames, seconds in self._recent),
            step_s=step_s,
            jitter_s=_DEVIATION * median(abs(seconds - step_s) for seconds in times),
        )
