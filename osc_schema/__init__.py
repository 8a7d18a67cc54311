"""The address space as data: `parameters.json` describes every parameter once.

OSC validation, command-line options, docs/osc.md, the web panel and the TouchDesigner component are generated from it.
A new parameter needs a row in that file and the code that uses it. Standard library only, because the TouchDesigner
component imports this package in TouchDesigner's own Python.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from osc_schema.rows import MOST_ITEMS as MOST_ITEMS
from osc_schema.rows import Need as Need
from osc_schema.rows import Parameter as Parameter
from osc_schema.rows import Scalar as Scalar
from osc_schema.rows import Type as Type
from osc_schema.rows import Value as Value
from osc_schema.rows import Weighted as Weighted
from osc_schema.rows import check
from osc_schema.rows import parse as parse

Held = TypeVar("Held")

PATH = Path(__file__).with_name("parameters.json")


@dataclass(frozen=True)
class Service:
    """A message that requests something instead of setting a value: ping, subscribe, sync."""

    address: str
    arguments: str
    reply: str
    help: str


@dataclass(frozen=True)
class Family:
    """Rows that exist several times. name: their addresses are `/streamvace/NAME/NUMBER/...`, numbered from 1 to
    `count`; each has a bool `on`. help: of the option that sets one of them."""

    name: str
    count: int
    help: str


@lru_cache(maxsize=1)
def load() -> tuple[Parameter, ...]:
    """Every parameter, in the order of the file, then the families. Raises ValueError with the address of an invalid
    row."""
    rows = tuple(parse(entry) for entry in _document()["parameters"])
    for family in _document()["families"]:
        for number in range(1, family["count"] + 1):
            numbered = json.loads(json.dumps(family["rows"]).replace("#", str(number)))
            rows += tuple(replace(parse(entry), family=family["name"], number=number) for entry in numbered)
    check(rows, groups())
    return rows


@lru_cache(maxsize=1)
def families() -> tuple[Family, ...]:
    """The families of rows."""
    return tuple(Family(each["name"], each["count"], each["help"]) for each in _document()["families"])


def carried(values: Mapping[str, Held]) -> dict[str, Held]:
    """The values without those of members of a family that are off, of which only the switch is left. What sends all
    values sends these."""
    off = {address for address, switch in _switched().items() if values.get(switch) is False}
    return {address: value for address, value in values.items() if address not in off}


@lru_cache(maxsize=1)
def _switched() -> Mapping[str, str]:
    """Address of a member of a family -> address of its switch."""
    return MappingProxyType({row.address: row.switch for row in load() if row.switch})


@lru_cache(maxsize=1)
def by_address() -> Mapping[str, Parameter]:
    """The same rows by address, in the same order; read-only."""
    return MappingProxyType({row.address: row for row in load()})


@lru_cache(maxsize=1)
def groups() -> Mapping[str, str]:
    """The heading of each group; read-only."""
    return MappingProxyType(dict(_document()["groups"]))


@lru_cache(maxsize=1)
def services() -> tuple[Service, ...]:
    """The service messages, in the order of the file."""
    return tuple(Service(**entry) for entry in _document()["services"])


def needs_in_words(row: Parameter) -> str:
    """What the row needs to change anything, for help: `Needs mask_source chroma, or mask/second chroma.`"""
    return f"Needs {', or '.join(_in_words(need) for need in row.needs)}." if row.needs else ""


def _in_words(need: Need) -> str:
    name = need.address.removeprefix("/streamvace/")
    if need.values == (True,) or need.values == (False,):
        return f"{name} {'on' if need.values[0] else 'off'}"
    if need.unless in (("",), ((),)):
        return f"{name} not empty"
    listed = " or ".join(
        f"{value:g}" if isinstance(value, float) else str(value) for value in need.values or need.unless
    )
    return f"{name} {listed}" if need.values else f"{name} other than {listed}"


def flat(value: Value) -> tuple[Scalar, ...]:
    """A value as the arguments of one message: a list gives one argument per string and weight, `s f s f ...`.

    An empty list becomes one empty string, because a message without arguments is a query.
    """
    if not isinstance(value, tuple):
        return (value,)
    parts = (item if isinstance(item, tuple) else (item,) for item in value)
    return tuple(scalar for part in parts for scalar in part) or ("",)


def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(PATH.read_text("utf-8"))
    return document
