"""OSCQuery: the address space as JSON, for controllers that build their faders by themselves. No I/O.

What the OSCQuery proposal asks for, from the schema and the values of the moment. The namespace of a running show never
changes, so there is no PATH_CHANGED to send, and HOST_INFO says so.
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
)
"""What a node may say about itself, and what may be asked for alone: `/streamvace/seed?VALUE`."""

EXTENSIONS: Final = {
    "ACCESS": True,
    "VALUE": True,
    "RANGE": True,
    "DESCRIPTION": True,
    "CLIPMODE": True,
    "UNIT": True,
    "LISTEN": True,
    "TAGS": False,
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
"""Our units that have a name in the proposal's list; the others go out as they are."""


@dataclass(frozen=True)
class Answer:
    """An HTTP status, and the JSON that goes with 200."""

    status: int
    body: Json | None = None


def host_info(osc_port: int) -> Json:
    """What `?HOST_INFO` says. OSC and WebSocket are at the address that was asked, so there is none in it."""
    return {"NAME": "streamvace", "OSC_PORT": osc_port, "OSC_TRANSPORT": "UDP", "EXTENSIONS": EXTENSIONS}


class Namespace:
    """The nodes of a schema: containers made from the addresses, methods from the rows."""

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
        """Whether there is a value at this path to hear of."""
        row = self._schema.get(path)
        return row is not None and row.type != "trigger"

    def answer(self, path: str, query: str, values: Mapping[str, Value], info: Json) -> Answer:
        """What a GET of `path?query` is answered with.

        200 with the node, or with the one attribute asked for; 204 where this node has no such attribute; 400 for an
        attribute that nobody has; 404 for a path that does not exist.
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
        """A node and all below it. The depth is that of the schema's addresses."""
        node: Json = {"FULL_PATH": key or "/", "ACCESS": 0}
        row = self._schema.get(key)
        if row is not None:
            node |= _method(row, values.get(key))
        if self._children[key]:
            node["CONTENTS"] = {path.rpartition("/")[2]: self._node(path, values) for path in self._children[key]}
        return node


def _method(row: Parameter, value: Value | None) -> Json:
    attributes: Json = {"TYPE": _type(row, value), "DESCRIPTION": row.help}
    if row.type == "trigger":
        # The argument I in JSON is null. There is nothing in it to read, but clients trip over a method without.
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
    """What the one value may be, where there are limits to tell."""
    if row.choices:
        return {"RANGE": [{"VALS": list(row.choices)}]}
    limits = {name: bound for name, bound in (("MIN", row.minimum), ("MAX", row.maximum)) if bound is not None}
    return {"RANGE": [limits]} if limits else {}


def _weights(row: Parameter, pairs: int) -> Json:
    """Ranges for `sfsf...`, one an argument; the texts have none. An empty list is a single text."""
    limits = {"MIN": row.minimum, "MAX": row.maximum}
    if pairs == 0:
        return {}
    return {"RANGE": [None, limits] * pairs, "CLIPMODE": ["none", "both"] * pairs}


def _type(row: Parameter, value: Value | None) -> str:
    """The type tags that the node sends and takes; of a bool it is the value itself, of a list as many as it holds."""
    if row.type == "bool":
        return "T" if value else "F"
    if row.type in ("strings", "weighted"):
        return "".join("s" if isinstance(part, str) else "f" for part in flat(value if value is not None else ()))
    return {"float": "f", "int": "i", "string": "s", "choice": "s", "trigger": "I"}[row.argument or row.type]
