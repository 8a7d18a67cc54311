"""One list of each kind, for tests of the types rather than of the address space."""

from __future__ import annotations

import osc_schema


def list_row(kind: str) -> osc_schema.Parameter:
    """`strings`: up to 3 texts of up to 20 characters; `weighted`: the same with weights 0..1."""
    entry = {
        "address": f"/streamvace/test_{kind}",
        "label": "Test",
        "group": "test",
        "type": kind,
        "max_items": 3,
        "max_length": 20,
        "default": ["red"] if kind == "strings" else [["red", 1.0]],
        "applies": "now",
        "access": "write",
        "help": "Only for these tests.",
    }
    return osc_schema.parse(entry if kind == "strings" else {**entry, "min": 0.0, "max": 1.0})


STRINGS = list_row("strings")
WEIGHTED = list_row("weighted")
