"""Logs of shows: a show that can be rendered, or UserError in one line."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable

from streamvace.live.show_log.reader import MOST_FRAMES, read_show
from streamvace.live.show_log.writer import FORMAT
from tests.fuzz.scratch import scratch
from tests.fuzz.target import NASTY, Target, damaged, damaged_json, refusing

HEAD = {
    "format": FORMAT,
    "streamvace": "0.1.0",
    "pipeline": "embedded",
    "size": [256, 256],
    "content_rate": 24.0,
    "inputs": ["pattern"],
    "parameters": {"/streamvace/seed": 42, "/streamvace/prompts": [["a", 1.0]]},
}
CHUNK = {
    "chunk": 0,
    "s": 0.5,
    "index": 0,
    "frames": 12,
    "set": [["/streamvace/seed", 7, "osc 127.0.0.1:9000"], ["/streamvace/reset", None, "osc"]],
    "shape": {"seed": 7, "prompt": {"parts": [["a", 1.0]], "blend": "linear"}},
    "pictures": ["control"],
}


def check(data: bytes) -> None:
    with refusing():
        show = read_show(scratch("show.jsonl", data))
        assert 0 < show.content_rate <= MOST_FRAMES
        assert all(side > 0 for side in show.size)
        assert all(0 < chunk.frames <= MOST_FRAMES and chunk.index >= 0 for chunk in show.chunks)


def seeds() -> Iterable[bytes]:
    yield _lines(HEAD, CHUNK, {**CHUNK, "chunk": 1, "index": 1, "shape": {}})
    yield _lines(HEAD)
    yield _lines({**HEAD, "parameters": {"/streamvace/prompt": {"part": []}}}, CHUNK)
    yield b""
    for rate in NASTY:
        yield _lines({**HEAD, "content_rate": rate}, CHUNK)
        yield _lines({**HEAD, "size": [rate, 256]}, CHUNK)


def _lines(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _damaged_line(chance: random.Random, whole: bytes, other: bytes) -> bytes:
    lines = whole.splitlines(keepends=True) or [b"{}\n"]
    where = chance.randrange(len(lines))
    lines[where] = damaged_json(chance, lines[where], other) + b"\n"
    return b"".join(lines)


TARGET = Target("show_log", seeds, check, rounds=400, damages=(damaged, _damaged_line, _damaged_line))
