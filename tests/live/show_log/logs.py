"""Logs of shows, written by the log itself or line by line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from streamvace.control.parameters import Parameters, Snapshot
from streamvace.live.director.layout import Pictures
from streamvace.live.show_log.writer import ShowLog
from streamvace.records.chunk import Chunk, ChunkInput
from tests.live.show import SIZE

HEAD = {"pipeline": "embedded", "size": SIZE, "content_rate": 24.0, "inputs": ("pattern",)}


def head(**changes: object) -> bytes:
    """The first line of a log."""
    values = {"format": "streamvace show 1", "parameters": {}, **HEAD, "size": (64, 64), **changes}
    return json.dumps(values).encode() + b"\n"


def row(**changes: object) -> bytes:
    """A line of a chunk."""
    values = {"index": 0, "frames": 12, "set": [], "shape": {}, "pictures": [], **changes}
    return json.dumps(values).encode() + b"\n"


def chunk(inputs: ChunkInput, index: int) -> Chunk:
    return Chunk(np.zeros((12, 8, 8, 3), np.uint8), index, 0, 0, inputs.snapshot_version, {}, seed=inputs.seed)


class Rig:
    """A log that follows parameters."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.parameters = Parameters({"/streamvace/seed": 3})
        self.path = folder / "show.jsonl"
        self.log = ShowLog(self.path, HEAD, self.parameters.snapshot())
        self.parameters.listen(self.log.changed)

    def made(self, index: int, **shape: object) -> None:
        version = self.parameters.snapshot().version
        inputs = replace(ChunkInput("a", snapshot_version=version), **shape)  # type: ignore[arg-type]
        self.log.made(inputs, chunk(inputs, index))


class Untouched:
    """Leaves every picture as it is."""

    notes: frozenset[str] = frozenset()

    def runs(self, pipeline: str) -> None:
        pass

    def shows(self, address: str) -> None:
        pass

    def made_of(self, pictures: Pictures, moments: Sequence[float], snapshot: Snapshot) -> Pictures:
        return pictures
