"""The times and the number of a cue, as files and controllers give them. Pure. docs/cues.md describes them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from streamvace.control.coercion import show
from streamvace.system.errors import UserError

Clock = Literal["show", "bar", "timecode"]
"""What a time of a cue counts on: the show's clock, the transport, or the MIDI timecode."""

SHORTEST_FOLLOW_S: Final = 0.5
"""A list that goes on by itself faster than this cannot be played with."""
LONGEST_S: Final = 3600.0
"""The longest wait, and the longest time until the next cue follows."""
LONGEST_SHOW_S: Final = 7 * 24 * 3600.0
"""The latest time on the show's clock."""
HIGHEST_NUMBER: Final = 9999.999
"""OSC carries numbers up to this one to the third decimal."""

_DECIMALS: Final = 3
_MINUTES: Final = re.compile(r"(\d{1,5}):([0-5]\d(?:\.\d{1,3})?)")
_BAR: Final = re.compile(r"bar ([1-9]\d{0,5})(?:\.([1-9]|1[0-6]))?")
_TIMECODE: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)[:;.]([0-2]\d)")
_AT_IN_WORDS: Final = "at is seconds (90, or 1:30), 'bar 17.1' or timecode '01:00:00:00'"


@dataclass(frozen=True)
class At:
    """When a cue comes by itself.

    clock: on which. fields: seconds, or bar and beat, both counted from 1, or hours, minutes, seconds and frames.
    """

    clock: Clock
    fields: tuple[float, ...]

    def place(self, unit: int) -> float:
        """The same on its clock: in seconds, or in beats since beat 0. unit: beats of a bar, frames of a second."""
        if self.clock == "bar":
            return (self.fields[0] - 1) * unit + self.fields[1] - 1
        if self.clock == "timecode":
            hours, minutes, seconds, frames = self.fields
            return (hours * 60 + minutes) * 60 + seconds + frames / unit
        return self.fields[0]

    def written(self) -> float | str:
        """As it stands in a cue file: seconds as a number."""
        if self.clock == "bar":
            return "bar {:.0f}.{:.0f}".format(*self.fields)
        if self.clock == "timecode":
            return ":".join(f"{field:02.0f}" for field in self.fields)
        return self.fields[0]


def parse_at(given: object) -> At:
    """A time from a file or a controller. Raises UserError, one line with the received and the accepted values."""
    text = " ".join(given.split()) if isinstance(given, str) else ""
    if found := _BAR.fullmatch(text):
        return At("bar", (float(found[1]), float(found[2] or 1)))
    if found := _TIMECODE.fullmatch(text):
        return At("timecode", tuple(float(field) for field in found.groups()))
    seconds = float(found[1]) * 60 + float(found[2]) if (found := _MINUTES.fullmatch(text)) else _number(given)
    if seconds is None or not 0 <= seconds <= LONGEST_SHOW_S:
        raise UserError(f"{_AT_IN_WORDS}, got {show(given)}")
    return At("show", (float(seconds),))


def check_follow(seconds: object) -> float:
    """Seconds until the next cue. Raises UserError."""
    return _seconds("follow", seconds, SHORTEST_FOLLOW_S)


def check_wait(seconds: object) -> float:
    """Seconds between the recall and the beginning of the fade. Raises UserError."""
    return _seconds("wait", seconds, 0.0)


def check_number(given: object) -> float:
    """A cue's number, to three decimals: OSC carries 2.1 as 2.0999999. Raises UserError."""
    number = _number(given)
    if number is None or not 0 <= number <= HIGHEST_NUMBER + 0.0004:
        raise UserError(f"a cue's number is 0..{HIGHEST_NUMBER:.7g}, got {show(given)}")
    return round(number, _DECIMALS)


def as_number(given: object) -> float | None:
    """The number that somebody may mean who names a cue: a number, or a text that is one. None: it is none."""
    number = _number(given)
    return None if number is None else round(number, _DECIMALS)


def plain(number: float) -> float | int:
    """A number as people write it: 2 rather than 2.0."""
    return int(number) if number == int(number) else number


def _seconds(what: str, given: object, least: float) -> float:
    seconds = _number(given) if not isinstance(given, str) else None
    if seconds is None or not least <= seconds <= LONGEST_S:
        raise UserError(f"{what} takes seconds {least:g}..{LONGEST_S:.0f}, got {show(given)}")
    return float(seconds)


def _number(given: object) -> float | None:
    """A finite number of a reasonable size, also one that is written as text; None for anything else."""
    if isinstance(given, str):
        return float(given) if re.fullmatch(r"\s*\d{1,6}(\.\d{1,6})?\s*", given, re.ASCII) else None
    number = isinstance(given, (int, float)) and not isinstance(given, bool) and abs(given) < 1e9
    return float(given) if number else None  # type: ignore[arg-type]  # NaN fails the comparison
