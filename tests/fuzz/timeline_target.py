"""Timelines of other programs: cues that a cue file holds, or UserError in one line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import osc_schema
from streamvace.control.cues import dump, parse
from streamvace.control.fades import Fade
from streamvace.control.timelines import added, read_timeline
from tests.fuzz.target import Target, damaged, damaged_json, refusing

SCHEMA = osc_schema.by_address()


def check(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for follow in (False, True):
        with refusing():
            cues = added((), read_timeline(text, SCHEMA, "t.json", 24.0, follow=follow), Fade(1.0))
            assert parse(dump(cues), SCHEMA, "again") == cues


def seeds() -> Iterable[bytes]:
    parts = [{"text": "a cat", "weight": 100}, {"text": "a dog", "weight": 25.5}]
    boxes = [
        {"startTime": 0, "endTime": 4.5, "prompts": parts, "transitionSteps": 4},
        {"startTime": 4.5, "endTime": 9, "text": "a bird"},
    ]
    yield json.dumps({"prompts": boxes, "settings": {"seed": 1}, "version": "2.1"}).encode()
    yield b'{"0": "a cat", "60": "a dog"}'
    yield b'{"prompts": {"0": "a cat"}, "fps": 15}'
    yield b"[" * 100_000
    yield Path(__file__).read_bytes()


TARGET = Target("timelines", seeds, check, rounds=400, damages=(damaged, damaged_json, damaged_json))
