"""How fast chunks come, and what follows from it: how fast to play them, and when to ask for the next. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import fmean, pstdev

_RECENT_CHUNKS = 8
"""Long enough to see the jitter of a busy machine, short enough to follow a change of steps within seconds."""

_PLAY_MARGIN = 0.98
"""Play slightly slower than chunks are made, so that a small cushion grows instead of a starvation."""

_SLOWEST_RATE = 1.0
"""Below one frame a second the picture is bridged, not slowed down further."""

_MAX_CUSHION_SHARE = 0.5
"""The cushion never costs more than half a chunk of latency."""


@dataclass(frozen=True)
class Pace:
    """Recent chunk times. fps: frames made a second of work. step_s: mean time of a step. jitter_s: its deviation."""

    fps: float
    step_s: float
    jitter_s: float

    def play_rate(self, nominal_rate: float) -> float:
        """Content frames a second to play: never above the nominal rate, a little under what is being made.

        The jitter counts against the rate: what is made in an unlucky chunk must still last until the next one.
        """
        if self.step_s <= 0:
            return nominal_rate
        steady = self.step_s / (self.step_s + self.jitter_s)
        return min(nominal_rate, max(_SLOWEST_RATE, _PLAY_MARGIN * self.fps * steady))

    def wait_s(self, backlog_s: float, tick_s: float) -> float:
        """How long to withhold the next chunk: it should arrive when only a small cushion is left to play.

        Asking later samples newer control frames and newer parameters; asking too late starves the output.
        """
        # Two ticks for the hand-over on either side, and twice the deviation for an unlucky chunk.
        cushion_s = 2 * tick_s + min(2 * self.jitter_s, _MAX_CUSHION_SHARE * self.step_s)
        return max(0.0, backlog_s - self.step_s - cushion_s)


class PaceMeter:
    """Keeps the last few chunk times. Owned by the engine thread; the Pace it hands out is immutable."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, float]] = deque(maxlen=_RECENT_CHUNKS)

    def record(self, frames: int, seconds: float) -> Pace:
        """Add one chunk: how many frames it gave and how long its step took."""
        self._recent.append((frames, max(seconds, 1e-6)))
        return self.pace()

    def pace(self) -> Pace:
        """The recent pace; an idle meter answers with zeros, which withhold nothing."""
        if not self._recent:
            return Pace(fps=0.0, step_s=0.0, jitter_s=0.0)
        times = [seconds for _, seconds in self._recent]
        return Pace(
            fps=sum(frames for frames, _ in self._recent) / sum(times),
            step_s=fmean(times),
            jitter_s=pstdev(times),
        )
