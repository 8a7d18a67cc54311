"""Converts values between TouchDesigner parameters and OSC arguments.

Both sides are compared as OSC arguments, so these are normalized: a float is rounded to the 32 bits that OSC
transmits, and a list has only one form.
"""

from __future__ import annotations

import math
import struct

from osc_schema import Parameter
from streamvace_td.osc_packet import Arguments

SEPARATOR = "|"
"""Separates the items of a list in one text parameter; not allowed in file names on Windows."""

ParValue = bool | int | float | str

_FLOAT = struct.Struct(">f")


def from_par(row: Parameter, value: object) -> Arguments | None:
    """The OSC arguments for `value`, the result of a parameter's `eval`. None if it is invalid for the row."""
    if row.type in ("strings", "weighted"):
        texts = [text.strip() for text in str(value).split(SEPARATOR) if text.strip()]
        if row.type == "strings":
            return tuple(texts) or ("",)
        return tuple(part for text in texts for part in _weighted(text)) or ("",)
    if row.type in ("string", "choice"):
        return (str(value),)
    if not isinstance(value, (bool, int, float)) or not math.isfinite(value):
        return None
    if row.type == "bool":
        return (bool(value),)
    return (round(value),) if row.type == "int" else (_as_sent(value),)


def number_or_text(text: str) -> float | str:
    """What a field means that takes both: a number, if it is one."""
    try:
        number = float(text)
    except ValueError:
        return text.strip()
    return _as_sent(number) if math.isfinite(number) else text.strip()


def from_osc(row: Parameter, arguments: Arguments) -> Arguments | None:
    """The normalized arguments of a message about this row. None if they are invalid for it."""
    if row.type in ("strings", "weighted"):
        return arguments if arguments and isinstance(arguments[0], str) else None
    if len(arguments) != 1:
        return None
    value = arguments[0]
    if row.type in ("string", "choice"):
        known = isinstance(value, str) and (row.type == "string" or value in row.choices)
        return arguments if known else None
    return None if isinstance(value, str) else from_par(row, value)


def to_par(row: Parameter, arguments: Arguments) -> ParValue:
    """The value for the TouchDesigner parameter. `from_par` turns it into the same arguments again."""
    if row.type == "strings":
        return f" {SEPARATOR} ".join(str(text) for text in arguments)
    if row.type == "weighted":
        return f" {SEPARATOR} ".join(_pairs(arguments))
    value = arguments[0]
    return _shortest(value) if isinstance(value, float) else value


def _weighted(text: str) -> tuple[str, float]:
    """`red glass=0.3` as text and weight. Without a number after the last equals sign, all of it is text, weight 1."""
    name, equals, weight = text.rpartition("=")
    try:
        return (name.strip(), _as_sent(float(weight))) if equals else (text, 1.0)
    except ValueError:
        return text, 1.0


def _pairs(arguments: Arguments) -> list[str]:
    """Each text with the weight that follows it, as `text=weight`."""
    pairs: list[str] = []
    for argument in arguments:
        if isinstance(argument, str):
            pairs.append(argument)
        elif pairs:
            pairs[-1] += f"={_shortest(float(argument)):.9g}"
    return pairs


def _as_sent(value: float) -> float:
    """The value rounded to the 32-bit float that is sent; always finite."""
    largest = 3.4028234663852886e38
    rounded: float = _FLOAT.unpack(_FLOAT.pack(min(max(float(value), -largest), largest)))[0]
    return rounded


def _shortest(value: float) -> float:
    """The shortest decimal for the same 32-bit float: 0.3, not 0.30000001192092896."""
    candidates = (float(f"{value:.{digits}g}") for digits in (6, 7, 8))
    return next((each for each in candidates if _as_sent(each) == value), value)
