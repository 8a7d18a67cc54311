"""Fades: curves, and the value of a fading parameter at a moment. Pure; times in nanoseconds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from osc_schema import Value
from streamvace.system.errors import UserError

CURVES: Final[Mapping[str, Callable[[float], float]]] = {
    "linear": lambda done: done,
    "ease": lambda done: done * done * (3.0 - 2.0 * done),
    # e^4 spans about 35 dB: slow at the start, fast at the end, and still visibly moving throughout.
    "exponential": lambda done: math.expm1(4.0 * done) / math.expm1(4.0),
}
"""Share of the time, 0..1, to share of the way, 0..1. All start at 0, end at 1 and are monotonic."""

LONGEST_S: Final = 3600.0


@dataclass(frozen=True)
class Fade:
    """How long a change takes, and its shape.

    seconds: 0..LONGEST_S. curve: one of CURVES. switch: 0..1, the share of the time after which values that cannot
    glide (bools, choices, ints, lists) jump.
    """

    seconds: float
    curve: str = "linear"
    switch: float = 0.0

    def share(self, elapsed_ns: int) -> float:
        """The share of the way after `elapsed_ns`, 0..1."""
        if elapsed_ns >= self.seconds * 1e9:
            return 1.0
        return CURVES[self.curve](max(0.0, elapsed_ns / (self.seconds * 1e9)))


def parse_fade(seconds: object, curve: object = "linear") -> Fade:
    """A fade from untrusted values. Raises UserError, one line with the received value."""
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if not number or not 0 <= seconds <= LONGEST_S:  # type: ignore[operator]  # NaN fails the comparison too
        raise UserError(f"a fade takes 0..{LONGEST_S:.0f} seconds, got {seconds!r:.40}")
    if not isinstance(curve, str) or curve not in CURVES:
        raise UserError(f"a curve is one of {', '.join(CURVES)}, got {curve!r:.40}")
    return Fade(float(seconds), curve)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Move:
    """A fading parameter since `began_ns`: a float glides from `start`, any other value jumps at the switch."""

    start: Value
    target: Value
    began_ns: int
    fade: Fade

    def ended(self, now_ns: int) -> bool:
        """Whether the parameter holds its target."""
        glides = isinstance(self.start, float) and isinstance(self.target, float)
        seconds = self.fade.seconds * (1.0 if glides else self.fade.switch)
        return now_ns - self.began_ns >= seconds * 1e9

    def value(self, now_ns: int) -> Value:
        """The value at this moment."""
        if self.ended(now_ns):
            return self.target
        if not (isinstance(self.start, float) and isinstance(self.target, float)):
            return self.start
        return self.start + self.fade.share(now_ns - self.began_ns) * (self.target - self.start)
