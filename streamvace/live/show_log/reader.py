"""Reads the log of a show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streamvace.live.show_log.writer import FORMAT, from_json
from streamvace.system.errors import UserError

LONGEST_LINE = 1_000_000
"""Characters: far more than every parameter at its longest."""

OLD_SHAPE = {"noise_rule": "sum"}
"""Values of fields that logs of earlier versions do not have, as they were then."""

OLD_PRECISION = {"embedded": "fp32"}
"""The precision of a show whose log does not name it, by pipeline; the others chose as today."""


@dataclass(frozen=True)
class ShownChunk:
    """One chunk of a show.

    index: since the last reset. frames: number of its pictures. changes: (address, value) applied before it, None for a
    trigger. shape: all plain fields of its ChunkInput. pictures: the names of its arrays.
    """

    index: int
    frames: int
    changes: tuple[tuple[str, Any], ...]
    shape: Mapping[str, Any]
    pictures: tuple[str, ...]


@dataclass(frozen=True)
class ShowFile:
    """A show: its head, its parameters at the start, and its chunks in order. precision: of its first chunk."""

    pipeline: str
    size: tuple[int, int]
    content_rate: float
    inputs: tuple[str, ...]
    parameters: Mapping[str, Any]
    chunks: tuple[ShownChunk, ...]
    precision: str = "auto"

    @property
    def frames(self) -> int:
        """Number of pictures in the whole show."""
        return sum(chunk.frames for chunk in self.chunks)


def read_show(path: Path) -> ShowFile:
    """Read a log. An incomplete last line is ignored: the process was killed.

    Raises UserError, with the number of the line, for anything that is not a valid log.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"show log {path} cannot be read ({error}); check the name") from error
    rows = [_parsed(path, number, line, last=number == len(lines)) for number, line in enumerate(lines, 1)]
    rows = [row for row in rows if row]
    if not rows or rows[0].get("format") != FORMAT:
        raise UserError(f"{path} is no show log; `streamvace run --show-log FILE.jsonl` writes one")
    try:
        return _show(rows)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"show log {path} is damaged ({type(error).__name__}: {error}); take another") from error


def _parsed(path: Path, number: int, line: str, *, last: bool) -> dict[str, Any]:
    try:
        if len(line) > LONGEST_LINE:
            raise ValueError("too long")
        row = json.loads(line)
        if not isinstance(row, dict):
            raise ValueError("not an object")
    except (ValueError, RecursionError) as error:
        if last and number > 1:
            return {}
        raise UserError(f"show log {path}, line {number}: {error}; take another") from error
    return row


def _show(rows: list[dict[str, Any]]) -> ShowFile:
    head, shape, chunks = rows[0], dict[str, Any](OLD_SHAPE), []
    for row in rows[1:]:
        shape = {**shape, **{str(name): from_json(value) for name, value in row["shape"].items()}}
        changes = tuple((str(address), from_json(value)) for address, value, _ in row["set"])
        chunks.append(ShownChunk(int(row["index"]), int(row["frames"]), changes, shape, tuple(row["pictures"])))
    width, height = head["size"]
    pipeline = str(head["pipeline"])
    named = (str(row["precision"]) for row in rows[1:] if row.get("precision"))
    return ShowFile(
        pipeline=pipeline,
        size=(int(width), int(height)),
        content_rate=float(head["content_rate"]),
        inputs=tuple(str(uri) for uri in head["inputs"]),
        parameters={str(address): from_json(value) for address, value in head["parameters"].items()},
        chunks=tuple(chunks),
        precision=next(named, OLD_PRECISION.get(pipeline, "auto")),
    )
