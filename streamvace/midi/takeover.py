"""What a knob does that stands elsewhere than its parameter, because something else has moved the parameter. Pure.

Positions are 0..1, times are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Protocol

NEAR: Final = 3 / 128
"""As close as this, the knob has arrived: less than anybody sees, more than a step that a quick hand leaves out."""
SAME_HAND_S: Final = 0.05
"""Within this after a move that counted, the next one counts: a fade that moves the parameter in between does not take
it out of the hand."""


class Takeover(Protocol):
    """One control of one parameter."""

    def take(self, when: float, position: float, held: float) -> float | None:
        """The position that counts, or None for none. position: of the knob. held: of the parameter."""
        ...

    def others_moved(self) -> None:
        """Something else has changed the parameter."""
        ...


class Jump:
    """The parameter jumps to the knob."""

    def take(self, when: float, position: float, held: float) -> float | None:
        return position

    def others_moved(self) -> None:
        return None


class PickUp:
    """The knob does nothing until it arrives at the parameter, or passes it."""

    def __init__(self) -> None:
        self._has = False
        self._before: float | None = None
        self._counted: float | None = None

    def take(self, when: float, position: float, held: float) -> float | None:
        passes = self._before is not None and (self._before - held) * (position - held) <= 0
        same_hand = self._counted is not None and when - self._counted <= SAME_HAND_S
        self._has = self._has or same_hand or passes or abs(position - held) <= NEAR
        self._before = position
        if not self._has:
            return None
        self._counted = when
        return position

    def others_moved(self) -> None:
        self._has = False


class Scaled:
    """The parameter follows at once, faster or slower than the knob, so that both reach an end together."""

    def __init__(self) -> None:
        self._has = False
        self._before: float | None = None

    def take(self, when: float, position: float, held: float) -> float | None:
        before, self._before = self._before, position
        if self._has or abs(position - held) <= NEAR:
            self._has = True
            return position
        if before is None or position == before:
            return None
        left, room = (1 - before, 1 - held) if position > before else (before, held)
        found = held + (position - before) * room / left
        return min(max(found, 0.0), 1.0)

    def others_moved(self) -> None:
        self._has = False


TAKEOVERS: Final[Mapping[str, Callable[[], Takeover]]] = {"none": Jump, "pickup": PickUp, "scale": Scaled}
