"""Parameters for the tests of MIDI, one of each type."""

from __future__ import annotations

from typing import Any

import osc_schema
from osc_schema import Parameter
from streamvace.midi.map_format import build
from streamvace.midi.mapping import Mapping


def row(name: str, kind: str, default: object, **more: Any) -> Parameter:
    return osc_schema.parse(
        {
            "address": f"/streamvace/{name}",
            "type": kind,
            "default": default,
            "label": name,
            "group": "x",
            "applies": "now",
            "access": "write",
            "help": "",
            **more,
        }
    )


SCHEMA = {
    each.address: each
    for each in (
        row("level", "float", 0.5, min=0.0, max=2.0),
        row("rate", "float", 10.0, min=1.0, max=100.0, scale="log"),
        row("count", "int", 3, min=1, max=4),
        row("seed", "int", 7, min=0, max=2**31 - 1),
        row("kind", "choice", "b", choices=["a", "b", "c"]),
        row("on", "bool", False),
        row("text", "string", "", max_length=20),
        row("go", "trigger", None),
        row("cue/recall", "trigger", None, argument="string", max_length=80),
        row("shown", "float", 0.0, access="read"),
    )
}


def mapped(*entries: dict[str, Any], devices: dict[str, Any] | None = None) -> tuple[Mapping, ...]:
    """The rows of a map."""
    return build(list(entries), devices or {}, SCHEMA, "midi.json").mappings
