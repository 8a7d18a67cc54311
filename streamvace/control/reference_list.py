"""Triggers that edit the list of references item by item. The list is an ordinary parameter."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from osc_schema import Value
from streamvace.control.parameters import Edit
from streamvace.records.chunk import MAX_REFERENCES
from streamvace.system.errors import UserError

REFERENCES = "/streamvace/references"


def add(values: Mapping[str, Value], argument: Value) -> Mapping[str, Value]:
    """Append a reference; one that is listed keeps its place. Raises UserError when the list is full."""
    names, name = _names(values), str(argument)
    if name in names:
        return {}
    if len(names) == MAX_REFERENCES:
        raise UserError(f"there are {MAX_REFERENCES} references already; remove one first")
    return {REFERENCES: (*names, name)}


def remove(values: Mapping[str, Value], argument: Value) -> Mapping[str, Value]:
    """Remove a reference by its number, counted from 1. Raises UserError for an unknown number."""
    names, number = _names(values), int(str(argument))
    if not 1 <= number <= len(names):
        raise UserError(f"there is no reference {number}; there are {len(names)}")
    return {REFERENCES: names[: number - 1] + names[number:]}


def clear(values: Mapping[str, Value], argument: Value) -> Mapping[str, Value]:
    """Remove every reference."""
    return {REFERENCES: ()}


def _names(values: Mapping[str, Value]) -> tuple[str, ...]:
    held = values[REFERENCES]
    assert isinstance(held, tuple)
    return tuple(str(name) for name in held)


EDITS: Mapping[str, Edit] = MappingProxyType(
    {
        "/streamvace/reference/add": add,
        "/streamvace/reference/remove": remove,
        "/streamvace/reference/clear": clear,
    }
)
