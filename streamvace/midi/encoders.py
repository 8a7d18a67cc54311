"""Endless knobs: the steps in their messages, and which of the four encodings a device has. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

ENCODINGS: Final[Mapping[str, Callable[[int], int]]] = {
    "signed_bit": lambda raw: raw if raw < 64 else 64 - raw,
    "signed_bit_2": lambda raw: raw - 64 if raw >= 64 else -raw,
    "binary_offset": lambda raw: raw - 64,
    "twos_complement": lambda raw: raw if raw < 64 else raw - 128,
}
"""The number of a message, 0..127, to steps; to the right is positive."""

_LEFT: Final = {65: "signed_bit", 1: "signed_bit_2", 63: "binary_offset", 127: "twos_complement"}
"""One step to the left, in each encoding."""
SURE: Final = 3
"""So many single steps to the left tell an encoding."""
_FURTHER: Final = 4
"""More steps in one message are no slow turn."""

USUAL_RATE: Final = 20.0
"""Steps a second of a hand that looks for a value; faster turns are accelerated."""
MOST_GAIN: Final = 10.0
WINDOW_S: Final = 0.2
"""The speed of a turn is that of the steps within this."""


def guess(raws: Sequence[int]) -> str:
    """The encoding of an endless knob that was slowly turned to the left; empty for anything else, such as a fader."""
    for single, encoding in _LEFT.items():
        steps = [-ENCODINGS[encoding](raw) for raw in raws]
        if raws.count(single) >= SURE and all(1 <= step <= _FURTHER for step in steps):
            return encoding
    return ""


class Acceleration:
    """The faster an endless knob is turned, the further each step goes. Times are seconds."""

    def __init__(self, strength: float) -> None:
        """strength: 0 for none; with 1, a turn of twice USUAL_RATE goes twice as far a step."""
        self._strength = strength
        self._turned: deque[tuple[float, int]] = deque()

    def moved(self, when: float, steps: int) -> float:
        """How many steps these count as."""
        self._turned.append((when, abs(steps)))
        while when - self._turned[0][0] > WINDOW_S:
            self._turned.popleft()
        # Over a window: a device may send several messages in one packet, which is no fast turn.
        rate = sum(each for _, each in self._turned) / WINDOW_S
        return steps * min(MOST_GAIN, 1 + self._strength * max(0.0, rate / USUAL_RATE - 1))
