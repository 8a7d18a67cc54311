"""The command line's view of the address space: `--context-scale 0.8` for `/streamvace/context_scale`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import osc_schema
from osc_schema import Parameter, Value, flat
from streamvace.control.coercion import coerce, expectation, show
from streamvace.system.errors import UserError

_BOOLS = {"on": True, "true": True, "yes": True, "1": True, "off": False, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class CliOption:
    """name: `--context-scale`. parameter: what it sets. help: one line with what it takes and the default."""

    name: str
    parameter: Parameter
    help: str


def options() -> tuple[CliOption, ...]:
    """An option for every parameter that holds a value at the start, in the order of the schema; triggers hold none."""
    return tuple(
        CliOption(_option(row), row, f"{row.help} ({expectation(row)}; default {_text(row.default)})")
        for row in osc_schema.load()
        if row.access == "write" and row.type != "trigger"
    )


def parse_cli(pairs: Mapping[str, str | Sequence[str]]) -> dict[str, Value]:
    """Option names (`--context-scale`, dashes in front or not) and their text, as overrides for `Parameters`.

    A list comes as a sequence of texts, one each time the option was given, or as one text with a line for each;
    of a weighted list a text is `TEXT` or `TEXT=WEIGHT`.

    Raises UserError, one line, for an unknown option or a text that does not mean a value in range: unlike a live
    message, a command line can be mended before the show.
    """
    rows = {option.name: option.parameter for option in options()}
    values: dict[str, Value] = {}
    for name, said in pairs.items():
        option = "--" + name.lstrip("-").replace("_", "-")
        row = rows.get(option)
        if row is None:
            raise UserError(f"{option}: there is no such parameter; there are {', '.join(rows)}")
        lines = said.split("\n") if isinstance(said, str) else list(said)
        whole = said if isinstance(said, str) else "\n".join(said)
        value = _from_lines(row, lines) if row.type in ("strings", "weighted") else _from_text(row, whole)
        coerced = coerce(row, (value,))
        if coerced.status != "set" or coerced.value is None:
            raise UserError(f"{option}: takes {expectation(row)}, got {show(whole)}")
        values[row.address] = coerced.value
    return values


def _option(row: Parameter) -> str:
    return "--" + row.name.replace("/", "-").replace("_", "-")


def _from_text(row: Parameter, text: str) -> Value:
    """What the text says in the parameter's type, or the text itself, which is then refused."""
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
    """`red glass=0.3` as its parts; an equals sign without a number after it belongs to the text."""
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
