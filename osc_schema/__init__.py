"""The address space as data: `parameters.json` describes every parameter once.

OSC validation, command-line options, docs/osc.md, the web panel and the TouchDesigner component are generated from it.
A new parameter needs a row in that file and the code that uses it. Standard library only, because the TouchDesigner
component imports this package in TouchDesigner's own Python.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

Weighted = tuple[tuple[str, float], ...]
Scalar = bool | int | float | str
Value = Scalar | tuple[str, ...] | Weighted
"""The value of a parameter: float for `float`, int for `int`, bool for `bool`, str for `string` and `choice`, a tuple
of strings for `strings`, a tuple of (string, weight) for `weighted`."""

Type = Literal["float", "int", "bool", "string", "choice", "strings", "weighted", "trigger"]
Argument = Literal["", "int", "string", "choice"]
Applies = Literal["now", "next_chunk", "reload"]
Access = Literal["write", "read"]

PATH = Path(__file__).with_name("parameters.json")
_REQUIRED = frozenset({"address", "label", "group", "type", "default", "applies", "access", "help"})
_KEYS = _REQUIRED | {"unit", "min", "max", "choices", "max_length", "max_items", "argument", "numbers"}
_FIELDS = {"min": "minimum", "max": "maximum"}
"""Keys of the file whose fields in Parameter have other names."""

MOST_ITEMS = 16
"""Limit of `max_items`: (string, weight) pairs in one OSC message of 32 arguments."""


@dataclass(frozen=True)
class Parameter:
    """One row of the address space.

    address: OSC address, `/streamvace/...`, unique.
    type: float, int, bool, string, choice, strings (a list), weighted (a list of strings with weights) or trigger (an
        action without a value).
    default: the initial value; None for triggers only.
    label: a few words for a panel. help: one or two sentences. group: its heading.
    applies: `now`, with the `next_chunk`, or only after a `reload` of the model.
    access: `write` for parameters, `read` for what the process reports.
    minimum, maximum: inclusive range of a float, an int or the weights of `weighted`, in `unit`; None if open (only
        with access `read`).
    choices: the values of a choice, in the order of their indices. max_length: of a string, or of each string in a
        list, in characters. max_items: of a list.
    numbers: whether a string also accepts a whole number, as its digits, for controllers that send only floats.
    argument: the type of a trigger's only argument, within the row's limits; empty if it takes none.
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

    @property
    def name(self) -> str:
        """The address without `/streamvace/`: `context_scale`, `status/fps`."""
        return self.address.removeprefix("/streamvace/")


@dataclass(frozen=True)
class Service:
    """A message that requests something instead of setting a value: ping, subscribe, sync."""

    address: str
    arguments: str
    reply: str
    help: str


@lru_cache(maxsize=1)
def load() -> tuple[Parameter, ...]:
    """Every parameter, in the order of the file. Raises ValueError with the address of an invalid row."""
    rows = tuple(parse(entry) for entry in _document()["parameters"])
    addresses = [row.address for row in rows]
    twice = {address for address in addresses if addresses.count(address) > 1}
    if twice:
        raise ValueError(f"{PATH.name}: listed twice: {', '.join(sorted(twice))}")
    return rows


@lru_cache(maxsize=1)
def by_address() -> Mapping[str, Parameter]:
    """The same rows by address, in the same order; read-only."""
    return MappingProxyType({row.address: row for row in load()})


@lru_cache(maxsize=1)
def services() -> tuple[Service, ...]:
    """The service messages, in the order of the file."""
    return tuple(Service(**entry) for entry in _document()["services"])


def parse(entry: Mapping[str, Any]) -> Parameter:
    """One row of the file as a Parameter. Raises ValueError with the address and the problem.

    `schema.json` has the same rules for editors; this check needs no JSON Schema library.
    """
    address = entry.get("address", "(no address)")
    missing, unknown = _REQUIRED - set(entry), set(entry) - _KEYS
    if missing or unknown:
        raise ValueError(f"{address}: missing keys {sorted(missing)}, unknown keys {sorted(unknown)}")
    row = Parameter(**{_FIELDS.get(key, key): _as_tuples(value) for key, value in entry.items()})
    if problem := _problem(row):
        raise ValueError(f"{address}: {problem}")
    return row


def flat(value: Value) -> tuple[Scalar, ...]:
    """A value as the arguments of one message: a list gives one argument per string and weight, `s f s f ...`.

    An empty list becomes one empty string, because a message without arguments is a query.
    """
    if not isinstance(value, tuple):
        return (value,)
    parts = (item if isinstance(item, tuple) else (item,) for item in value)
    return tuple(scalar for part in parts for scalar in part) or ("",)


def _as_tuples(value: Any) -> Any:
    return tuple(_as_tuples(item) for item in value) if isinstance(value, list) else value


def _problem(row: Parameter) -> str:
    """The problem of an invalid row, or an empty string."""
    if not row.address.startswith("/streamvace/"):
        return "addresses start with /streamvace/"
    for name, allowed in (("type", Type), ("applies", Applies), ("access", Access)):
        if getattr(row, name) not in get_args(allowed):
            return f"{name} is {getattr(row, name)!r}, must be one of {', '.join(get_args(allowed))}"
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


def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(PATH.read_text("utf-8"))
    return document
