"""One row of the address space: its fields, read from an entry of `parameters.json` and checked."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

Weighted = tuple[tuple[str, float], ...]
Scalar = bool | int | float | str
Value = Scalar | tuple[str, ...] | Weighted
"""The value of a parameter: float for `float`, int for `int`, bool for `bool`, str for `string` and `choice`, a tuple
of strings for `strings`, a tuple of (string, weight) for `weighted`."""

Type = Literal["float", "int", "bool", "string", "choice", "strings", "weighted", "trigger"]
Argument = Literal["", "int", "string", "choice"]
Applies = Literal["now", "next_tick", "next_chunk", "reload"]
Access = Literal["write", "read"]
Scale = Literal["linear", "log"]
Level = Literal["basic", "advanced"]

_REQUIRED = frozenset({"address", "label", "group", "type", "default", "applies", "access", "help"})
_LIMITS = frozenset({"min", "max", "choices", "max_length", "max_items", "argument", "second", "numbers"})
_SHOWN = frozenset({"unit", "scale", "snaps", "level", "needs", "undo"})
_KEYS = _REQUIRED | _LIMITS | _SHOWN
_WORDS = {"type": Type, "applies": Applies, "access": Access, "scale": Scale, "level": Level}
"""Fields that hold one of a few words."""
_FIELDS = {"min": "minimum", "max": "maximum"}
"""Keys of the file whose fields in Parameter have other names."""

MOST_ITEMS = 16
"""Limit of `max_items`: (string, weight) pairs in one OSC message of 32 arguments."""


@dataclass(frozen=True)
class Need:
    """What another parameter must hold: one of `values` or, without those, none of `unless`."""

    address: str
    values: tuple[Value, ...] = ()
    unless: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Parameter:
    """One row of the address space.

    address: OSC address, `/streamvace/...`, unique.
    type: float, int, bool, string, choice, strings (a list), weighted (a list of strings with weights) or trigger (an
        action without a value).
    default: the initial value; None for triggers only.
    label: a few words for a panel. help: one or two sentences. group: its heading.
    applies: `now`; at the `next_tick` of the output, to the finished picture; with the `next_chunk`; or only after a
        `reload` of the model.
    access: `write` for parameters, `read` for what the process reports.
    minimum, maximum: inclusive range of a float, an int or the weights of `weighted`, in `unit`; None if open (only
        with access `read`).
    choices: the values of a choice, in the order of their indices. max_length: of a string, or of each string in a
        list, in characters. max_items: of a list.
    numbers: whether a string also accepts a whole number, as its digits, for controllers that send only floats.
    argument: the type of a trigger's argument, within the row's limits; empty if it takes none.
    second: what an optional second argument is, in a word, such as seconds; empty if it takes none.
    scale: of a fader; `log` gives each doubling the same way. snaps: usual values, at which a fader catches.
    level: `basic`, or `advanced` for what most shows never touch.
    needs: without any of these the row changes nothing now; a need counts only while its own row's needs are met.
    undo: whether a change of the value can be undone. Recordings and the transport cannot, and triggers never are.
    family, number: of a row that exists several times, `mod` and 1; else empty and 0.
    """

    address: str
    type: Type
    default: Value | None
    label: str
    help: str
    group: str
    applies: Applies
    access: Access
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    max_length: int = 0
    max_items: int = 0
    numbers: bool = False
    argument: Argument = ""
    second: str = ""
    scale: Scale = "linear"
    snaps: tuple[float, ...] = ()
    level: Level = "basic"
    needs: tuple[Need, ...] = ()
    undo: bool = True
    family: str = ""
    number: int = 0

    @property
    def switch(self) -> str:
        """The address of the bool that switches this row's member of its family on; empty without a family, and for the
        switch itself."""
        switch = f"/streamvace/{self.family}/{self.number}/on" if self.family else ""
        return "" if switch == self.address else switch

    @property
    def name(self) -> str:
        """The address without `/streamvace/`: `context_scale`, `status/fps`."""
        return self.address.removeprefix("/streamvace/")

    @property
    def shapes_picture(self) -> bool:
        """Whether a change is seen in the picture: in the generator's, or at the output."""
        return self.applies in ("next_tick", "next_chunk")


def parse(entry: Mapping[str, Any]) -> Parameter:
    """One row of the file as a Parameter. Raises ValueError with the address and the problem.

    `schema.json` has the same rules for editors; this check needs no JSON Schema library.
    """
    address = entry.get("address", "(no address)")
    missing, unknown = _REQUIRED - set(entry), set(entry) - _KEYS
    if missing or unknown:
        raise ValueError(f"{address}: missing keys {sorted(missing)}, unknown keys {sorted(unknown)}")
    fields = {_FIELDS.get(key, key): _as_tuples(value) for key, value in entry.items() if key != "needs"}
    try:
        needs = tuple(
            Need(**{key: _as_tuples(value) for key, value in need.items()}) for need in entry.get("needs", ())
        )
    except TypeError:
        raise ValueError(f"{address}: a need has an address, and values or unless") from None
    row = Parameter(**fields, needs=needs)
    if problem := _problem(row):
        raise ValueError(f"{address}: {problem}")
    return row


def check(rows: Sequence[Parameter], groups: Collection[str]) -> None:
    """Check what only all rows together show. Raises ValueError with the address and the problem."""
    addresses = [row.address for row in rows]
    known = dict(zip(addresses, rows, strict=True))
    for row in rows:
        if addresses.count(row.address) > 1:
            raise ValueError(f"{row.address}: is listed twice")
        if row.group not in groups:
            raise ValueError(f"{row.address}: the group {row.group!r} has no heading")
        for need in row.needs:
            if problem := _need_problem(need, known):
                raise ValueError(f"{row.address}: needs {need.address}, {problem}")
        if row.address in _needed(row, known):
            raise ValueError(f"{row.address}: needs itself")


def _need_problem(need: Need, known: Mapping[str, Parameter]) -> str:
    row = known.get(need.address)
    if row is None or row.access != "write" or row.default is None:
        return "which holds no value"
    if bool(need.values) == bool(need.unless):
        return "with values or with unless"
    for value in (*need.values, *need.unless):
        if type(value) is not type(row.default) or (row.choices and value not in row.choices):
            return f"which never holds {value!r}"
    return ""


def _needed(row: Parameter, known: Mapping[str, Parameter]) -> set[str]:
    """The addresses that a row needs, and those that they need."""
    found: set[str] = set()
    waiting = [need.address for need in row.needs]
    while waiting:
        address = waiting.pop()
        if address not in found:
            found.add(address)
            waiting += [need.address for need in known[address].needs]
    return found


def _as_tuples(value: Any) -> Any:
    return tuple(_as_tuples(item) for item in value) if isinstance(value, list) else value


def _problem(row: Parameter) -> str:
    """The problem of an invalid row, or an empty string."""
    if not row.address.startswith("/streamvace/"):
        return "addresses start with /streamvace/"
    for name, allowed in _WORDS.items():
        if getattr(row, name) not in get_args(allowed):
            return f"{name} is {getattr(row, name)!r}, must be one of {', '.join(get_args(allowed))}"
    if problem := _fader_problem(row):
        return problem
    if row.second and not row.argument:
        return "only a trigger with an argument takes a second one"
    default: Any = row.default
    if row.argument:
        return _argument_problem(row)
    if row.type in ("float", "int"):
        whole = isinstance(default, int) and not isinstance(default, bool)
        if not whole and (row.type == "int" or not isinstance(default, float)):
            return f"default {default!r} is not of type {row.type}"
        if row.access == "write" and (row.minimum is None or row.maximum is None):
            return "a writable number needs min and max"
        low = -math.inf if row.minimum is None else row.minimum
        high = math.inf if row.maximum is None else row.maximum
        return "" if low <= float(default) <= high else f"default {default} is outside {low}..{high}"
    if row.type in ("strings", "weighted"):
        return _list_problem(row)
    wanted = {"bool": bool, "string": str, "choice": str, "trigger": type(None)}[row.type]
    if not isinstance(default, wanted):
        return f"default {default!r} is not of type {row.type}"
    if row.type == "choice" and (len(row.choices) < 2 or default not in row.choices):
        return f"default {default!r} is not one of {row.choices}"
    if row.type == "string" and len(str(default)) > row.max_length:
        return f"default has {len(str(default))} characters, max_length is {row.max_length}"
    return ""


def _fader_problem(row: Parameter) -> str:
    if row.type not in ("float", "int"):
        return "only a number has a scale and snaps" if row.scale != "linear" or row.snaps else ""
    low, high = row.minimum, row.maximum
    if row.scale == "log" and not (low is not None and low > 0):
        return f"a log scale needs a min above 0, got {low}"
    outside = [snap for snap in row.snaps if low is None or high is None or not low <= snap <= high]
    return f"snap {outside[0]} is outside {low}..{high}" if outside else ""


def _argument_problem(row: Parameter) -> str:
    if row.type != "trigger" or row.default is not None:
        return "only a trigger takes an argument, and its default is null"
    limits = {
        "int": row.minimum is not None and row.maximum is not None,
        "string": row.max_length > 0,
        "choice": len(row.choices) > 1,
    }
    if row.argument not in limits:
        return f"argument is {row.argument!r}, must be one of {', '.join(limits)}"
    return "" if limits[row.argument] else f"the argument, a {row.argument}, needs its limits"


def _list_problem(row: Parameter) -> str:
    if not 1 <= row.max_items <= MOST_ITEMS or row.max_length < 1:
        return f"a list needs max_items 1..{MOST_ITEMS} and max_length, got {row.max_items} and {row.max_length}"
    if not isinstance(row.default, tuple) or len(row.default) > row.max_items:
        return f"default {row.default!r} is not a list of at most {row.max_items} items"
    if row.type == "weighted" and (row.minimum is None or row.maximum is None):
        return "the weights need min and max"
    for item in row.default:
        text, weight = (item, row.minimum) if isinstance(item, str) else item
        if isinstance(item, str) != (row.type == "strings") or not 1 <= len(text) <= row.max_length:
            return f"default {item!r} is not allowed in {row.type} of at most {row.max_length} characters"
        if row.minimum is not None and row.maximum is not None and not row.minimum <= (weight or 0) <= row.maximum:
            return f"default weight {weight} is outside {row.minimum}..{row.maximum}"
    return ""
