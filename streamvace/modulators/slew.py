"""Attack and release: how fast a value may rise and fall."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

STEP_S: Final = 1 / 120
"""Between two looks at what is followed."""
_LONGEST_S: Final = 2.0
"""After a longer pause it begins anew that long before."""


class Slew:
    """A value that follows another one. For one thread."""

    def __init__(self) -> None:
        self._at: float | None = None
        self._value = 0.0

    def to(self, when: float, level: Callable[[float], float], attack: float, release: float) -> float:
        """The value at a moment in seconds. level: what it follows, 0..1, at any moment. attack, release: the shortest
        times from 0 to 1 and back, in seconds."""
        if attack == 0 and release == 0:
            self._at, self._value = when, level(when)
            return self._value
        if self._at is None or not 0 <= when - self._at <= _LONGEST_S:
            self._at = when - _LONGEST_S
            self._value = level(self._at)
        steps = math.ceil((when - self._at) / STEP_S)
        step_s = (when - self._at) / steps if steps else 0.0
        for number in range(1, steps + 1):
            self._step(level(self._at + number * step_s), step_s, attack, release)
        self._at = when
        return self._value

    def _step(self, level: float, step_s: float, attack: float, release: float) -> None:
        rise = step_s / attack if attack else 1.0
        fall = step_s / release if release else 1.0
        self._value += min(max(level - self._value, -fall), rise)
