"""From what a controller sends to what a parameter holds, with live manners.

Faders send floats for everything, buttons send 1.0 and 0.0, and nobody can read a manual on stage: so whatever has one
clear meaning is taken, what is out of range is clamped and reported, and only what has no meaning is refused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from osc_schema import Parameter, Value

Status = Literal["set", "unchanged", "clamped", "refused", "ignored"]


@dataclass(frozen=True)
class Coerced:
    """What one message means for one parameter.

    status: `set`, `clamped` (value is the nearest allowed), `refused` (value is None) or `ignored` (a button let go).
    value: what to hold; for a trigger that fires what it acts with, True where it takes nothing.
    line: for `clamped` and `refused`, one line with what came and what is allowed; else empty.
    """

    status: Status
    value: Value | None
    line: str = ""


def coerce(parameter: Parameter, arguments: tuple[object, ...]) -> Coerced:
    """What `arguments` mean for `parameter`. Never raises, whatever the arguments are."""
    if parameter.access == "read":
        return Coerced("refused", None, f"{parameter.address}: is an output and cannot be set, got {show(arguments)}")
    if parameter.type == "trigger":
        return _action(parameter, arguments) if parameter.argument else _trigger(parameter, arguments)
    if parameter.type in ("strings", "weighted"):
        return _list(parameter, arguments)
    if len(arguments) != 1:
        return _refuse(parameter, f"{len(arguments)} values {show(arguments)}" if arguments else "no value")
    value = arguments[0]
    if parameter.type == "string":
        return _string(parameter, _digits(value) if parameter.numbers else value)
    if parameter.type == "choice" and isinstance(value, str):
        return _named_choice(parameter, value)
    if parameter.type == "bool" and isinstance(value, bool):
        return Coerced("set", value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return _refuse(parameter, show(value))
    if isinstance(value, float) and not math.isfinite(value):
        return _refuse(parameter, show(value))
    return _number(parameter, value)


def expectation(parameter: Parameter) -> str:
    """What a parameter takes, in a few words: `one float 0..2`, `one of none, alpha`."""
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


def _trigger(parameter: Parameter, arguments: tuple[object, ...]) -> Coerced:
    if not arguments:
        return Coerced("set", True)
    value = arguments[0]
    if len(arguments) > 1 or not isinstance(value, (bool, int, float)) or value != value:
        return _refuse(parameter, show(arguments))
    return Coerced("set", True) if value >= 0.5 else Coerced("ignored", None)


def _action(parameter: Parameter, arguments: tuple[object, ...]) -> Coerced:
    """A trigger with an argument. What is out of range is refused: the nearest allowed would be another action."""
    checked = coerce(_argument(parameter), arguments)
    if checked.status == "clamped" or checked.value == "":
        return _refuse(parameter, show(arguments[0]))
    return checked


def _argument(parameter: Parameter) -> Parameter:
    """A trigger's argument as a parameter of its own, under the trigger's name and limits."""
    assert parameter.argument
    return replace(parameter, type=parameter.argument, argument="")


def _string(parameter: Parameter, value: object) -> Coerced:
    if not isinstance(value, str):
        return _refuse(parameter, show(value))
    problem = _text_problem(parameter, value)
    return _refuse(parameter, problem) if problem else Coerced("set", value)


def _digits(value: object) -> object:
    """A whole number from 0 to 9999 as its digits; everything else as it came."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 10_000:
        return value
    return str(int(value)) if value == int(value) else value


def _text_problem(parameter: Parameter, text: str) -> str:
    """Why this text cannot be held, or an empty string."""
    if len(text) > parameter.max_length:
        return f"{len(text)} characters"
    # Neither a NUL nor half a surrogate pair can be sent back as feedback, so neither is let in.
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        return f"{show(text)}, which OSC cannot carry"
    return ""


def _list(parameter: Parameter, arguments: tuple[object, ...]) -> Coerced:
    """Texts, for `weighted` each followed by its weight (1 where there is none); loose, in an array, or in pairs.

    Empty texts are left out, with their weights: that is how a list is emptied, and how a panel with eight boxes sends
    the three that are filled. A message that cannot be taken whole is refused whole.
    """
    if not arguments:
        return _refuse(parameter, "no value")
    if len(arguments) == 1 and isinstance(arguments[0], tuple):
        arguments = arguments[0]
    loose = [part for item in arguments for part in (item if isinstance(item, tuple) else (item,))]
    pairs: list[tuple[str, float]] = []
    line = ""
    after_text = False
    for part in loose:
        if isinstance(part, str):
            problem = _text_problem(parameter, part)
            if problem:
                return _refuse(parameter, problem)
            pairs.append((part, 1.0))
            after_text = parameter.type == "weighted"
            continue
        if not after_text or isinstance(part, bool) or not isinstance(part, (int, float)) or not _finite(part):
            return _refuse(parameter, show(part))
        after_text = False
        weight = float(min(max(part, parameter.minimum or 0), parameter.maximum or 0))
        if weight != part:
            line = f"{parameter.address}: takes {expectation(parameter)}, got {show(part)}, used {show(weight)}"
        pairs[-1] = (pairs[-1][0], weight)
    kept = tuple(pair for pair in pairs if pair[0])
    if len(kept) > parameter.max_items:
        return _refuse(parameter, f"{len(kept)} strings")
    held: Value = kept if parameter.type == "weighted" else tuple(text for text, _ in kept)
    return Coerced("clamped" if line else "set", held, line)


def _finite(value: int | float) -> bool:
    """An int of any size is: it may be beyond any float, and is clamped."""
    return isinstance(value, int) or math.isfinite(value)


def _named_choice(parameter: Parameter, value: str) -> Coerced:
    name = value.strip().lower()
    return Coerced("set", name) if name in parameter.choices else _refuse(parameter, show(value))


def _number(parameter: Parameter, value: int | float) -> Coerced:
    """A finite number for anything that takes numbers. Compared before converting: an int may be beyond any float."""
    if parameter.type == "bool":
        return Coerced("set", value >= 0.5)
    low: float = 0 if parameter.minimum is None else parameter.minimum
    high: float = 0 if parameter.maximum is None else parameter.maximum
    if parameter.type == "choice":
        low, high = 0, len(parameter.choices) - 1
    kept = min(max(value, low), high)
    whole = math.floor(kept + 0.5) if parameter.type != "float" else 0
    held: Value = float(kept) if parameter.type == "float" else whole
    if parameter.type == "choice":
        held = parameter.choices[whole]
    if kept == value:
        return Coerced("set", held)
    return Coerced(
        "clamped",
        held,
        f"{parameter.address}: takes {expectation(parameter)}, got {show(value)}, used {show(held)}",
    )


def _refuse(parameter: Parameter, got: str) -> Coerced:
    return Coerced("refused", None, f"{parameter.address}: takes {expectation(parameter)}, got {got}")


def _plain(bound: float | None) -> str:
    return "" if bound is None else f"{bound:.10g}"
