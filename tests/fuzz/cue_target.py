"""Cue files: cues, or UserError in one line; what is read is written and read back the same."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from streamvace.control.cue_file import CueFile
from streamvace.control.cues import dump, parse
from streamvace.control.parameters import Parameters
from streamvace.telemetry.reporter import Reporter
from tests.fuzz.scratch import scratch
from tests.fuzz.target import Target, damaged, damaged_json, refusing

SCHEMA = Parameters().schema


def check(data: bytes) -> None:
    path = scratch("cues.json", data)
    file = CueFile(path, SCHEMA, Reporter())
    try:
        with refusing():
            cues = file.read()
            assert parse(dump(cues), SCHEMA, "again") == cues
    finally:
        file.close()


def seeds() -> Iterable[bytes]:
    cue = {
        "name": "dusk",
        "number": 2.5,
        "wait": 1,
        "follow": 20,
        "at": "bar 17.1",
        "note": "after the break",
        "fade": 2.5,
        "curve": "ease",
        "switch": 0.5,
        "values": {"prompt": "dusk", "context_scale": 0.5, "prompts": [["a", 1.0], ["b", 0.5]], "pause": True},
        "curves": {"context_scale": "linear"},
    }
    yield json.dumps({"version": 1, "cues": [cue, {**cue, "name": "dawn", "number": 3, "at": 90}]}).encode()
    yield b'{"version": 1, "cues": []}'
    yield b"[" * 100_000
    yield b"\xef\xbb\xbf{}"
    yield Path(__file__).read_bytes()


TARGET = Target("cues", seeds, check, rounds=400, damages=(damaged, damaged_json, damaged_json))
