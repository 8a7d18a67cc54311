"""The parts of a surface, whatever program draws it: what each steers or shows, and where it is. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from osc_schema import Parameter

WIDTH: Final = 1024
HEIGHT: Final = 728
"""The canvas of a page in points: a tablet on its side, without the bar of tabs."""

Kind = Literal["fader", "upright", "switch", "choice", "button", "text", "readout", "cue", "prompt", "take", "mix"]
"""What a part is.

fader, upright: a number, lying or standing. switch: a bool. choice: one button for each value. button: a trigger
without an argument. text: a string that can be typed. readout: what the show reports. cue: recalls the cue of a place
in the list. prompt, take, mix: a prompt that the mix holds, the button that puts the prompt of now there, and the fader
from the first to the second.
"""

GO: Final = "#2e9e5b"
DARK: Final = "#b3363c"
STILL: Final = "#2f6fb5"
PLAIN: Final = "#4b5563"
"""Colours of what is played blind: Go is green, blackout red, freeze blue."""


class Frame(NamedTuple):
    """A place on the canvas, in points from the top left."""

    x: int
    y: int
    w: int
    h: int

    def overlaps(self, other: Frame) -> bool:
        """Whether two places share a point."""
        beside = self.x + self.w <= other.x or other.x + other.w <= self.x
        return not (beside or self.y + self.h <= other.y or other.y + other.h <= self.y)


@dataclass(frozen=True)
class Part:
    """One part. label: its caption. colour: `#rrggbb`. row: the parameter or the output; None for cue, prompt, take and
    mix. number: of the cue's place, or of the prompt, from 1; else 0. lines: of the buttons of a choice; else 0."""

    kind: Kind
    frame: Frame
    label: str
    colour: str = PLAIN
    row: Parameter | None = None
    number: int = 0
    lines: int = 0

    @property
    def address(self) -> str:
        """The address that it steers or shows; empty without a row."""
        return "" if self.row is None else self.row.address

    @property
    def key(self) -> str:
        """A name that no other part has."""
        return self.address or f"{self.kind} {self.number}"


@dataclass(frozen=True)
class Page:
    """One page, behind one tab."""

    name: str
    parts: tuple[Part, ...]


def unit_of(row: Parameter) -> str:
    """The unit with a space before it, or nothing."""
    return f" {row.unit}" if row.unit else ""


def decimals(row: Parameter) -> int:
    """How many decimals of a value are worth reading: none of a whole number, fewer of a wide range."""
    if row.type != "float":
        return 0
    span = (row.maximum or 0.0) - (row.minimum or 0.0)
    return 1 if span > 20 else 2


def words(choice: str) -> str:
    """A choice as people read it."""
    return choice.replace("_", " ")
