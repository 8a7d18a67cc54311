"""Coercion of what a controller sends to what a parameter holds.

Controllers send floats for everything and buttons send 1.0 and 0.0. Any value with one clear meaning is therefore
accepted, a value out of range is clamped and reported, and a value without a meaning is refused.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal, NamedTuple

from osc_schema import Parameter, Value

Status = Literal["set", "unchanged", "clamped", "refused", "ignored"]

FLOAT32 = 2.0**-24
"""The share by which OSC may change a number: an end of a range that arrives a little beyond it is that end."""


class Coerced(NamedTuple):
    """What one message means for one parameter.

    Only `coerce` and `Snapshot.held` make one, and a store of parameters takes nothing else: a raw value has no way in.

    status: `set`, `clamped` (value is the nearest allowed), `refused` (value is None) or `ignored` (a button release;
        value is None).
    value: what to hold; for a trigger its argument, True if it takes none.
    line: for `clamped` and `refused`, one line with the received value and the accepted range; otherwise empty.
    """

    address: str
    status: Status
    value: Value | None
    line: str = ""


def coerce(parameter: Parameter, arguments: tuple[object, ...]) -> Coerced:
    """What `arguments` mean for `parameter`. Never raises, whatever the arguments are."""
    if parameter.access == "read":
        line = f"{parameter.address}: is an output and cannot be set, got {show(arguments)}"
        return Coerced(parameter.address, "refused", None, line)
    if parameter.type == "trigger":
        return _action(parameter, arguments) if parameter.argument else _trigger(parameter, arguments)
    if parameter.type in ("strings", "weighted"):
        return _list(parameter, arguments)
    if len(arguments) != 1:
        return _refused(parameter, f"{len(arguments)} values {show(arguments)}" if arguments else "no value")
    value = arguments[0]
    if parameter.type == "string":
        return _string(parameter, _digits(value) if parameter.numbers else value)
    if parameter.type == "choice" and isinstance(value, str):
        name = value.strip().lower()
        return _accepted(parameter, name) if name in parameter.choices else _refused(parameter, show(value))
    if parameter.type == "bool" and isinstance(value, bool):
        return _accepted(parameter, value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and _finite(value):
        return _number(parameter, value)
    return _refused(parameter, show(value))


def expectation(parameter: Parameter) -> str:
    """What a parameter accepts, in a few words: `one float 0..2`, `one of none, alpha`."""
    if parameter.argument:
        return expectation(_argument(parameter))
    if parameter.type in ("float", "int"):
        return f"one {parameter.type} {_plain(parameter.minimum)}..{_plain(parameter.maximum)}"
    if parameter.type == "choice":
        return f"one of {', '.join(parameter.choices)} (or its index)"
    if parameter.type == "string":
        return f"one string of at most {parameter.max_length} characters" + " or number" * parameter.numbers
    if parameter.type in ("strings", "weighted"):
        each = f", each with a weight {_plain(parameter.minimum)}..{_plain(parameter.maximum)}"
        what = f"up to {parameter.max_items} strings of at most {parameter.max_length} characters"
        return what + (each if parameter.type == "weighted" else "")
    return {"bool": "one bool or number", "trigger": "nothing, 1 or true"}[parameter.type]


def show(value: object) -> str:
    """A value for a one-line message: short, without line breaks, safe for any value."""
    if isinstance(value, int) and value.bit_length() > 64:
        return "a huge number"
    if isinstance(value, (str, bytes)):
        return repr(value[:40]) + ("..." if len(value) > 40 else "")
    if isinstance(value, float):
        return f"{value:.7g}"
    if isinstance(value, tuple):
        return "(" + ", ".join(show(part) for part in value[:4]) + (", ...)" if len(value) > 4 else ")")
    return repr(value)[:40]


def pressed(arguments: tuple[object, ...]) -> bool | None:
    """Whether a button was pressed (True) or released (False). None for arguments that no button sends."""
    value = arguments[0] if arguments else True
    if len(arguments) > 1 or not isinstance(value, (bool, int, float)) or value != value:
        return None
    return value >= 0.5


def _accepted(parameter: Parameter, value: Value) -> Coerced:
    return Coerced(parameter.address, "set", value)


def _clamped(parameter: Parameter, value: Value, got: object, used: Value) -> Coerced:
    low, high = _bounds(parameter)
    between = "-" if low >= 0 else " to "
    limits = f"range {_plain(low)}{between}{_plain(high)}"
    line = f"{parameter.address}: limited to {show(used)} ({limits}), got {show(got)}"
    return Coerced(parameter.address, "clamped", value, line)


def _refused(parameter: Parameter, got: str) -> Coerced:
    line = f"{parameter.address}: takes {expectation(parameter)}, got {got}"
    return Coerced(parameter.address, "refused", None, line)


def _trigger(parameter: Parameter, arguments: tuple[object, ...]) -> Coerced:
    fires = pressed(arguments)
    if fires is None:
        return _refused(parameter, show(arguments))
    return _accepted(parameter, True) if fires else Coerced(parameter.address, "ignored", None)


def _action(parameter: Parameter, arguments: tuple[object, ...]) -> Coerced:
    """A trigger with an argument. An argument out of range is refused: clamping it would select another action."""
    coerced = coerce(_argument(parameter), arguments)
    if coerced.status == "clamped" or coerced.value == "":
        return _refused(parameter, show(arguments[0]))
    return coerced


def _argument(parameter: Parameter) -> Parameter:
    """A trigger's argument as a parameter of its own, with the trigger's address and limits."""
    assert parameter.argument
    return replace(parameter, type=parameter.argument, argument="")


def _string(parameter: Parameter, value: object) -> Coerced:
    if not isinstance(value, str):
        return _refused(parameter, show(value))
    problem = _text_problem(parameter, value)
    return _refused(parameter, problem) if problem else _accepted(parameter, value)


def _digits(value: object) -> object:
    """A whole number from 0 to 9999 as its digits; any other value unchanged."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 10_000:
        return value
    return str(int(value)) if value == int(value) else value


def _text_problem(parameter: Parameter, text: str) -> str:
    """Why this text cannot be held, or an empty string."""
    if len(text) > parameter.max_length:
        return f"{len(text)} characters"
    # Feedback can send neither a NUL nor half a surrogate pair.
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        return f"{show(text)}, which OSC cannot carry"
    return ""


def _list(parameter: Parameter, arguments: tuple[object, ...]) -> Coerced:
    """Texts, for `weighted` each followed by its weight (default 1), as single arguments, in an array, or in pairs.

    Empty texts and their weights are dropped: one empty text empties the list, and a panel with eight boxes can send
    all of them. If any part is invalid, the whole message is refused.
    """
    if not arguments:
        return _refused(parameter, "no value")
    if len(arguments) == 1 and isinstance(arguments[0], tuple):
        arguments = arguments[0]
    parts = [part for item in arguments for part in (item if isinstance(item, tuple) else (item,))]
    pairs: list[tuple[str, float]] = []
    clamped: tuple[object, float] | None = None
    after_text = False
    for part in parts:
        if isinstance(part, str):
            problem = _text_problem(parameter, part)
            if problem:
                return _refused(parameter, problem)
            pairs.append((part, 1.0))
            after_text = parameter.type == "weighted"
            continue
        if not after_text or isinstance(part, bool) or not isinstance(part, (int, float)) or not _finite(part):
            return _refused(parameter, show(part))
        after_text = False
        weight = float(min(max(part, parameter.minimum or 0), parameter.maximum or 0))
        if weight != part:
            clamped = part, weight
        pairs[-1] = (pairs[-1][0], weight)
    kept = tuple(pair for pair in pairs if pair[0])
    if len(kept) > parameter.max_items:
        return _refused(parameter, f"{len(kept)} strings")
    held: Value = kept if parameter.type == "weighted" else tuple(text for text, _ in kept)
    return _clamped(parameter, held, *clamped) if clamped else _accepted(parameter, held)


def _finite(value: int | float) -> bool:
    """Whether it is neither NaN nor infinite. An int of any size is finite, even beyond the range of floats."""
    return isinstance(value, int) or math.isfinite(value)


def _number(parameter: Parameter, value: int | float) -> Coerced:
    """A finite number. It is compared before it is converted: an int may be beyond the range of floats."""
    if parameter.type == "bool":
        return _accepted(parameter, value >= 0.5)
    low, high = _bounds(parameter)
    kept = min(max(value, low), high)
    if parameter.type == "float":
        held: Value = float(kept)
    else:
        whole = math.floor(kept + 0.5)
        held = parameter.choices[whole] if parameter.type == "choice" else whole
    inside = kept == value or (isinstance(value, float) and math.isclose(kept, value, rel_tol=FLOAT32))
    return _accepted(parameter, held) if inside else _clamped(parameter, held, value, held)


def _bounds(parameter: Parameter) -> tuple[float, float]:
    """The least and the greatest number; of a choice, its indices."""
    if parameter.type == "choice":
        return 0, len(parameter.choices) - 1
    return parameter.minimum or 0, parameter.maximum or 0


def _plain(bound: float | None) -> str:
    return "" if bound is None else f"{bound:.10g}"
