"""OSCQuery: the address space as JSON, for controllers that build their own faders. No I/O.

Implements the OSCQuery proposal from the schema and the current values. The namespace of a running show never changes,
so PATH_CHANGED is never sent, and HOST_INFO says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from osc_schema import Parameter, Value, flat

Json = dict[str, object]

ATTRIBUTES: Final = (
    "FULL_PATH",
    "CONTENTS",
    "TYPE",
    "VALUE",
    "ACCESS",
    "DESCRIPTION",
    "RANGE",
    "CLIPMODE",
    "UNIT",
    "TAGS",
)
"""The attributes of a node. Each can be queried alone: `/streamvace/seed?VALUE`."""

EXTENSIONS: Final = {
    "ACCESS": True,
    "VALUE": True,
    "RANGE": True,
    "DESCRIPTION": True,
    "CLIPMODE": True,
    "UNIT": True,
    "LISTEN": True,
    "TAGS": True,
    "EXTENDED_TYPE": False,
    "CRITICAL": False,
    "OVERLOADS": False,
    "HTML": False,
    "PATH_CHANGED": False,
    "PATH_ADDED": False,
    "PATH_REMOVED": False,
    "PATH_RENAMED": False,
}

_UNITS: Final = {"ms": "time.ms", "s": "time.second", "frames/s": "time.hz"}
"""Our units with a name in the proposal; other units are sent unchanged."""


@dataclass(frozen=True)
class Answer:
    """An HTTP status, and the JSON body of a 200."""

    status: int
    body: Json | None = None


def host_info(osc_port: int) -> Json:
    """The answer to `?HOST_INFO`. OSC and WebSocket use the queried address, so it names none."""
    return {"NAME": "streamvace", "OSC_PORT": osc_port, "OSC_TRANSPORT": "UDP", "EXTENSIONS": EXTENSIONS}


class Namespace:
    """The nodes of a schema: containers from the parts of the addresses, methods from the rows."""

    def __init__(self, schema: Mapping[str, Parameter]) -> None:
        self._schema = dict(schema)
        self._children: dict[str, list[str]] = {"": []}
        for address in schema:
            parent = ""
            for name in address.split("/")[1:]:
                path = f"{parent}/{name}"
                if path not in self._children:
                    self._children[path] = []
                    self._children[parent].append(path)
                parent = path

    def listenable(self, path: str) -> bool:
        """Whether this path has a value to listen to."""
        row = self._schema.get(path)
        return row is not None and row.type != "trigger"

    def answer(self, path: str, query: str, values: Mapping[str, Value], info: Json) -> Answer:
        """The answer to a GET of `path?query`.

        200 with the node, or with the attribute in the query; 204 if the node does not have that attribute; 400 for an
        unknown attribute; 404 for an unknown path.
        """
        if query == "HOST_INFO":
            return Answer(200, info)
        if query and query not in ATTRIBUTES:
            return Answer(400)
        key = path.rstrip("/")
        if key not in self._children:
            return Answer(404)
        node = self._node(key, values)
        if not query:
            return Answer(200, node)
        if query not in node or (query == "VALUE" and node["ACCESS"] == 2):
            return Answer(204)
        return Answer(200, {query: node[query]})

    def _node(self, key: str, values: Mapping[str, Value]) -> Json:
        """A node and everything below it. The recursion is as deep as the schema's addresses."""
        node: Json = {"FULL_PATH": key or "/", "ACCESS": 0}
        row = self._schema.get(key)
        if row is not None:
            # What is below a method (/streamvace/seed/random) is answered at its own path only: python-oscquery refuses
            # the whole namespace for a node with both VALUE and CONTENTS.
            node |= _method(row, values.get(key))
        elif self._children[key]:
            node["CONTENTS"] = {path.rpartition("/")[2]: self._node(path, values) for path in self._children[key]}
        return node


def _method(row: Parameter, value: Value | None) -> Json:
    attributes: Json = {"TYPE": _type(row, value), "DESCRIPTION": row.help, "TAGS": [row.label, row.group, row.level]}
    if row.type == "trigger":
        # The argument I is null in JSON. A trigger has no value, but some clients fail on a method without VALUE.
        return attributes | {"ACCESS": 2, "VALUE": [None]} | _range(row)
    attributes["ACCESS"] = 3 if row.access == "write" else 1
    if value is not None:
        attributes["VALUE"] = list(flat(value))
    if row.type == "weighted":
        return attributes | _weights(row, len(_type(row, value)) // 2)
    attributes |= _range(row)
    if row.access == "write" and row.type in ("float", "int"):
        attributes["CLIPMODE"] = ["both"]
    if row.unit:
        attributes["UNIT"] = [_UNITS.get(row.unit, row.unit)]
    return attributes


def _range(row: Parameter) -> Json:
    """The range of a single value, if it has limits."""
    if row.choices:
        return {"RANGE": [{"VALS": list(row.choices)}]}
    limits = {name: bound for name, bound in (("MIN", row.minimum), ("MAX", row.maximum)) if bound is not None}
    return {"RANGE": [limits]} if limits else {}


def _weights(row: Parameter, pairs: int) -> Json:
    """Ranges for `sfsf...`, one for each argument; texts have none. An empty list is a single text."""
    limits = {"MIN": row.minimum, "MAX": row.maximum}
    if pairs == 0:
        return {}
    return {"RANGE": [None, limits] * pairs, "CLIPMODE": ["none", "both"] * pairs}


def _type(row: Parameter, value: Value | None) -> str:
    """The type tags of the current value: T or F for a bool, one or two for each item of a list."""
    if row.type == "bool":
        return "T" if value else "F"
    if row.type in ("strings", "weighted"):
        return "".join("s" if isinstance(part, str) else "f" for part in flat(value if value is not None else ()))
    return {"float": "f", "int": "i", "string": "s", "choice": "s", "trigger": "I"}[row.argument or row.type]
