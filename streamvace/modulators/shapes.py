"""The shapes of a cycle: from turns to 0..1. Pure, and the same on every machine."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

Shape = Callable[[float, int], float]
"""(turns, seed) -> 0..1. turns: cycles since the first one, of any sign. seed: of the random shapes; the others ignore
it."""

_STEEP: Final = 5.0
"""Time constants in a decay: at its end less than a hundredth is left, which the scaling removes."""
_BITS: Final = (1 << 64) - 1


def noise(seed: int, cycle: int) -> float:
    """A number 0..1 for each cycle, without order and always the same (SplitMix64)."""
    state = (seed * 0x9E3779B97F4A7C15 + cycle * 0xD1B54A32D192ED03) & _BITS
    state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _BITS
    state = (state ^ state >> 27) * 0x94D049BB133111EB & _BITS
    return ((state ^ state >> 31) >> 11) / (1 << 53)


def _smooth(turns: float, seed: int) -> float:
    cycle, share = math.floor(turns), turns % 1.0
    here, there = noise(seed, cycle), noise(seed, cycle + 1)
    return here + (there - here) * share * share * (3 - 2 * share)


SHAPES: Final[Mapping[str, Shape]] = {
    "sine": lambda turns, seed: 0.5 - 0.5 * math.cos(2 * math.pi * turns),
    "triangle": lambda turns, seed: 1 - abs(2 * (turns % 1.0) - 1),
    "saw_up": lambda turns, seed: turns % 1.0,
    "saw_down": lambda turns, seed: 1 - turns % 1.0,
    "square": lambda turns, seed: float(turns % 1.0 < 0.5),
    "decay": lambda turns, seed: (math.exp(-_STEEP * (turns % 1.0)) - math.exp(-_STEEP)) / (1 - math.exp(-_STEEP)),
    "random_steps": lambda turns, seed: noise(seed, math.floor(turns)),
    "random_smooth": _smooth,
}
"""Choice of `/streamvace/mod/#/shape` -> the shape. Sine and triangle begin at 0 and are at 1 in the middle."""
