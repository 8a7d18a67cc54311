"""A parameter's value in its two shapes: what TouchDesigner's parameter holds, and the arguments of an OSC message.

The arguments are the common form: what two sides hold is compared there, so a float is rounded to the 32 bits in which
it travels, and a list is always written the same way.
"""

from __future__ import annotations

import math
import struct

from osc_schema import Parameter
from streamvace_td.osc_packet import Arguments

SEPARATOR = "|"
"""Between the texts of a list in one text parameter; no file name on Windows holds it."""

ParValue = bool | int | float | str

_FLOAT = struct.Struct(">f")


def from_par(row: Parameter, value: object) -> Arguments | None:
    """What `value`, as a TouchDesigner parameter evaluates, is in OSC; None when it has no meaning for this row."""
    if row.type in ("strings", "weighted"):
        texts = [text.strip() for text in str(value).split(SEPARATOR)]
        weighted = [_weighted(text) for text in texts if text]
        if row.type == "strings":
            return tuple(text for text in texts if text) or ("",)
        return tuple(part for pair in weighted for part in pair) or ("",)
    if row.type in ("string", "choice"):
        return (str(value),)
    if not isinstance(value, (bool, int, float)) or not math.isfinite(value):
        return None
    if row.type == "bool":
        return (bool(value),)
    return (round(value),) if row.type == "int" else (_as_sent(value),)


def from_osc(row: Parameter, arguments: Arguments) -> Arguments | None:
    """Arguments of a message about this row in the common form; None when they are none of its values."""
    if row.type in ("strings", "weighted"):
        fitting = bool(arguments) and isinstance(arguments[0], str)
        return arguments if fitting else None
    if len(arguments) != 1:
        return None
    value = arguments[0]
    if row.type in ("string", "choice"):
        known = isinstance(value, str) and (row.type == "string" or value in row.choices)
        return arguments if known else None
    return None if isinstance(value, str) else from_par(row, value)


def to_par(row: Parameter, arguments: Arguments) -> ParValue:
    """What the TouchDesigner parameter is set to, so that `from_par` gives these arguments again."""
    if row.type == "strings":
        return f" {SEPARATOR} ".join(str(text) for text in arguments)
    if row.type == "weighted":
        return f" {SEPARATOR} ".join(_pairs(arguments))
    value = arguments[0]
    return _shortest(value) if isinstance(value, float) else value


def _weighted(text: str) -> tuple[str, float]:
    """`red glass=0.3` as its parts; without a number after the last equals sign, all of it is the text."""
    name, equals, weight = text.rpartition("=")
    try:
        return (name.strip(), _as_sent(float(weight))) if equals else (text, 1.0)
    except ValueError:
        return text, 1.0


def _pairs(arguments: Arguments) -> list[str]:
    """Texts with the weight that follows each."""
    pairs: list[str] = []
    for argument in arguments:
        if isinstance(argument, str):
            pairs.append(argument)
        elif pairs:
            pairs[-1] += f"={_shortest(float(argument)):.9g}"
    return pairs


def _as_sent(value: float) -> float:
    """The float that arrives when this one is sent; finite for every parameter's range."""
    largest = 3.4028234663852886e38
    rounded: float = _FLOAT.unpack(_FLOAT.pack(min(max(float(value), -largest), largest)))[0]
    return rounded


def _shortest(value: float) -> float:
    """The shortest decimal that is the same 32-bit float: 0.3 and not 0.30000001192092896."""
    candidates = (float(f"{value:.{digits}g}") for digits in (6, 7, 8))
    return next((each for each in candidates if _as_sent(each) == value), value)
