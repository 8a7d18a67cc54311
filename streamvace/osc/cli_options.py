"""Command line options for the address space: `--context-scale 0.8` sets `/streamvace/context_scale`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import osc_schema
from osc_schema import Family, Parameter, Value, flat
from streamvace.control.coercion import Coerced, coerce, expectation, show
from streamvace.control.random_seed import SEED, draw_seed
from streamvace.system.errors import UserError

_BOOLS = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}

RANDOM = "random"
"""Instead of a seed: a number drawn at random."""


@dataclass(frozen=True)
class CliOption:
    """name: `--context-scale`. parameter: what it sets. help: one line, with range and default."""

    name: str
    parameter: Parameter
    help: str


def options() -> tuple[CliOption, ...]:
    """An option for every parameter that holds a value, in the order of the schema, and one for each family."""
    alone = tuple(
        CliOption(_option(row), row, _help(row)) for row in osc_schema.load() if _holds(row) and not row.family
    )
    there = {row.family for row in osc_schema.load()}
    families = [_as_row(family) for family in osc_schema.families() if family.name in there]
    return alone + tuple(CliOption(_option(row), row, row.help) for row in families)


def parse_cli(pairs: Mapping[str, str | Sequence[str]]) -> dict[str, Coerced]:
    """Coerced values by address, from option names (`--context-scale`, with or without dashes) and their text.

    A list is a sequence of texts, one for each use of the option, or one text with a line for each item. In a weighted
    list an item is `TEXT` or `TEXT=WEIGHT`, in a family `NUMBER NAME=VALUE NAME=VALUE ...`: this member is on.

    Raises UserError, one line, for an unknown option, an invalid text, and a value out of range: unlike a live message,
    a command line can be corrected before the show.
    """
    rows = {option.name: option.parameter for option in options()}
    values: dict[str, Coerced] = {}
    for name, given in pairs.items():
        option = "--" + name.lstrip("-").replace("_", "-")
        row = rows.get(option)
        if row is None:
            raise UserError(f"{option}: there is no such parameter; there are {', '.join(rows)}")
        lines = given.split("\n") if isinstance(given, str) else list(given)
        if row.address in _FAMILIES:
            values.update(_members(_FAMILIES[row.address], option, lines))
            continue
        whole = "\n".join(lines)
        value = _from_lines(row, lines) if row.type in ("strings", "weighted") else _from_text(row, whole)
        coerced = coerce(row, (value,))
        if coerced.status != "set":
            raise UserError(f"{option}: takes {_takes(row)}, got {show(whole)}")
        values[row.address] = coerced
    return values


def drawn_seed(pairs: Mapping[str, str | Sequence[str]]) -> bool:
    """Whether these options ask for a random seed, so that the number must be told."""
    return _is_random(pairs.get("--seed", ""))


def _holds(row: Parameter) -> bool:
    return row.access == "write" and row.type != "trigger"


def _as_row(family: Family) -> Parameter:
    """A family as one list, of which each item sets a member."""
    address = f"/streamvace/{family.name}"
    return Parameter(
        address, "strings", (), family.name, family.help, "", "now", "write", max_items=family.count, max_length=1000
    )


_FAMILIES = {f"/streamvace/{family.name}": family for family in osc_schema.families()}


def _members(family: Family, option: str, lines: Sequence[str]) -> dict[str, Coerced]:
    """The values of the members that these items switch on. Raises UserError."""
    held: dict[str, Coerced] = {}
    for line in lines:
        number, *pairs = line.split() or [""]
        rows = {
            row.address.rpartition("/")[2]: row
            for row in osc_schema.load()
            if _holds(row) and row.family == family.name and str(row.number) == number
        }
        if not rows:
            raise UserError(
                f"{option}: the number is 1 to {family.count}, got {number[:40]!r}; try {option} '1 rate=2'"
            )
        for pair in ("on=on", *pairs):
            name, equals, text = pair.partition("=")
            row = rows.get(name)
            if row is None or not equals:
                raise UserError(f"{option}: takes NAME=VALUE with {', '.join(rows)}, got {pair[:60]!r}")
            coerced = coerce(row, (_from_text(row, text),))
            if coerced.status != "set":
                raise UserError(f"{option} {number}: {name} takes {_takes(row)}, got {show(text)}")
            held[row.address] = coerced
    return held


def _is_random(text: str | Sequence[str]) -> bool:
    return isinstance(text, str) and text.strip().lower() == RANDOM


def _takes(row: Parameter) -> str:
    return expectation(row) + f" or {RANDOM}" * (row.address == SEED)


def _help(row: Parameter) -> str:
    """The row's help, with its range or choices and its default."""
    takes = ""
    if row.type == "choice":
        takes = f"[{', '.join(row.choices)}]"
    elif row.type in ("float", "int"):
        takes = f"[{_text(row.minimum)}..{_text(row.maximum)}]" + f" or {RANDOM}." * (row.address == SEED)
    default = f"Default: {_text(row.default)}." if row.default not in ("", ()) else ""
    return " ".join(filter(None, (row.help, takes, default)))


def _option(row: Parameter) -> str:
    return "--" + row.name.replace("/", "-").replace("_", "-")


def _from_text(row: Parameter, text: str) -> Value:
    """The text in the parameter's type, or the text itself, which coercion then refuses."""
    if row.address == SEED and _is_random(text):
        return draw_seed()
    if row.type == "bool":
        return _BOOLS.get(text.strip().lower(), text)
    try:
        if row.type == "int":
            return int(text)
        if row.type == "float":
            return float(text)
    except ValueError:
        return text
    return text


def _from_lines(row: Parameter, lines: Sequence[str]) -> Value:
    if row.type == "strings":
        return tuple(lines)
    return tuple(_weighted(line) for line in lines)


def _weighted(line: str) -> tuple[str, float]:
    """`red glass=0.3` as its parts; an equals sign that no number follows belongs to the text."""
    text, equals, weight = line.rpartition("=")
    try:
        return (text, float(weight)) if equals else (line, 1.0)
    except ValueError:
        return line, 1.0


def _text(default: Value | None) -> str:
    if isinstance(default, tuple):
        return ", ".join(map(str, flat(default))) or "none"
    if isinstance(default, bool):
        return "on" if default else "off"
    return f"{default:g}" if isinstance(default, float) else str(default)
