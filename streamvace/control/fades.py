"""Values that take their time: which way they go, and where they are at a moment. Pure; times in nanoseconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from osc_schema import Value

CURVES: Final[Mapping[str, Callable[[float], float]]] = {
    "linear": lambda done: done,
    "ease": lambda done: done * done * (3.0 - 2.0 * done),
    # e^4 is about 35 dB from start to end: slow to begin, decided at the end, and still seen to move all the way.
    "exponential": lambda done: math.expm1(4.0 * done) / math.expm1(4.0),
}
"""Share of the time that has passed, 0..1, to share of the way, 0..1. All begin at 0, end at 1 and never turn back."""

LONGEST_S: Final = 3600.0


@dataclass(frozen=True)
class Fade:
    """How a change takes its time.

    seconds: 0..LONGEST_S. curve: one of CURVES. switch: 0..1, the share of the time after which what cannot glide
    (bools, choices, ints, lists) jumps.
    """

    seconds: float
    curve: str = "linear"
    switch: float = 0.0

    def share(self, elapsed_ns: int) -> float:
        """The share of the way gone after so much time, 0..1."""
        if elapsed_ns >= self.seconds * 1e9:
            return 1.0
        return CURVES[self.curve](max(0.0, elapsed_ns / (self.seconds * 1e9)))


def refuse_fade(seconds: object, curve: object = "linear") -> str:
    """Why this is no fade, naming what came, or an empty string."""
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not number or not 0 <= seconds <= LONGEST_S:  # type: ignore[operator]  # NaN fails the comparison too
        return f"a fade takes 0..{LONGEST_S:.0f} seconds, got {seconds!r:.40}"
    if not isinstance(curve, str) or curve not in CURVES:
        return f"a curve is one of {', '.join(CURVES)}, got {curve!r:.40}"
    return ""


@dataclass(frozen=True)
class Move:
    """One parameter on its way since `began_ns`: a float glides from `start`, anything else jumps at the switch."""

    start: Value
    target: Value
    began_ns: int
    fade: Fade

    def ended(self, now_ns: int) -> bool:
        """Whether it has arrived."""
        return now_ns - self.began_ns >= self._span_s() * 1e9

    def value(self, now_ns: int) -> Value:
        """Where it is."""
        if self.ended(now_ns):
            return self.target
        if not (isinstance(self.start, float) and isinstance(self.target, float)):
            return self.start
        share = self.fade.share(now_ns - self.began_ns)
        return self.start + share * (self.target - self.start)

    def _span_s(self) -> float:
        glides = isinstance(self.start, float) and isinstance(self.target, float)
        return self.fade.seconds * (1.0 if glides else self.fade.switch)
