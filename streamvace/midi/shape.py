"""From the position of a control, 0..1, to the value of a parameter, and back. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from osc_schema import Parameter, Value
from streamvace.control.fades import CURVES

LOG: Final = "log"
"""A curve in which each doubling takes the same way; for ranges above 0."""
NAMES: Final = (*CURVES, LOG)

_HALVINGS: Final = 40


@dataclass(frozen=True)
class Shape:
    """How a control covers the range of a parameter of type float, int, bool or choice.

    low, high: the values at position 0 and 1, in the parameter's terms; indices of a choice. low above high inverts.
    curve: one of NAMES; only a float has one. Whole numbers and choices get bands of the same width.
    """

    row: Parameter
    low: float
    high: float
    curve: str = "linear"

    def value(self, position: float) -> Value:
        """The value at a position, 0..1."""
        if self.row.type == "float":
            return self._bent(position)
        if self.row.type == "bool":
            return (position >= 0.5) == (self.low <= self.high)
        way = self.high - self.low
        band = min(int(position * (abs(way) + 1)), int(abs(way)))
        whole = round(self.low) + int(math.copysign(band, way))
        return self.row.choices[whole] if self.row.type == "choice" else whole

    def position(self, value: Value) -> float:
        """Where a control stands for this value, 0..1; beyond the range, at its nearer end."""
        number = float(self.row.choices.index(str(value))) if self.row.type == "choice" else float(value)  # type: ignore[arg-type]
        low, high = sorted((self.low, self.high))
        number = min(max(number, low), high)
        if low == high:
            return 0.0
        if self.row.type != "float" or self.curve == "linear":
            return (number - self.low) / (self.high - self.low)
        if self.curve == LOG:
            return math.log(number / self.low) / math.log(self.high / self.low)
        return self._found(number)

    @property
    def steps(self) -> float:
        """How many steps of an endless knob lead from one end to the other, unless the map says otherwise."""
        return 128.0 if self.row.type == "float" else max(1.0, abs(self.high - self.low))

    def _bent(self, position: float) -> float:
        if self.curve == LOG:
            found = self.low * math.pow(self.high / self.low, position)
        else:
            found = self.low + CURVES[self.curve](position) * (self.high - self.low)
        return min(max(found, min(self.low, self.high)), max(self.low, self.high))

    def _found(self, number: float) -> float:
        """The curves are monotonic, so halving finds the position."""
        before, after = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = (before + after) / 2
            beyond = self._bent(middle) > number if self.high > self.low else self._bent(middle) < number
            before, after = (before, middle) if beyond else (middle, after)
        return before
