"""What a modulator may move, and how far. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from osc_schema import Parameter, Value
from streamvace.system.errors import UserError

PREFIX: Final = "/streamvace/"
FAMILY: Final = "mod"


def find_target(text: str, schema: Mapping[str, Parameter]) -> Parameter:
    """The row that a text names, with or without `/streamvace/`. Raises UserError, one line, for what cannot move."""
    name = text.strip().removeprefix(PREFIX).strip("/")
    row = schema.get(PREFIX + name)
    if row is None:
        raise UserError(f"a target is the address of a parameter, such as output/zoom; got {text[:60]!r}")
    if row.family == FAMILY:
        raise UserError(f"{name} belongs to a modulator, and a modulator moves no modulator; use another target")
    if row.type not in ("float", "int") or not row.shapes_picture:
        raise UserError(f"a target is a number that shapes the picture, such as output/zoom; {name} is not")
    return row


def moved(row: Parameter, base: Value, amount: float) -> Value:
    """The base with an amount of the way of its fader added, within its limits, in its type.

    amount: 1 is the whole way. On a logarithmic fader, equal amounts are equal ratios.
    """
    assert row.minimum is not None
    assert row.maximum is not None
    assert isinstance(base, (int, float))
    if amount == 0:
        return base
    low, high = row.minimum, row.maximum
    if row.scale == "log":
        value = math.exp(math.log(base) + amount * math.log(high / low))
    else:
        value = base + amount * (high - low)
    held = min(max(value, low), high)
    return round(held) if row.type == "int" else float(held)
