"""Writes the log of a show: every parameter change and the inputs of every chunk, one JSON object per line.

The first line is the head (pipeline, size, all parameters). Every further line is one chunk:

    {"chunk": 12, "s": 3.217, "index": 12, "frames": 12, "set": [["/streamvace/seed", 7, "osc 127.0.0.1:9000"]],
     "shape": {"seed": 7}, "pictures": ["control"], "precision": "bf16"}

`chunk` counts from the start of the log and `index` from the last reset; `s` is seconds since the log began. `set`
holds the changes since the previous chunk (address, value, writer; null for a trigger), `shape` the plain values of the
ChunkInput that differ from the previous chunk, `pictures` the names of its arrays. The arrays are not kept: `streamvace
render --show` takes them from a clip. `precision` is in the first chunk's line, and again where it changes.

Threads: `changed` is called on any thread that writes a parameter, `made` on the engine thread; the `show log` thread
writes the file.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from streamvace import __version__
from streamvace.control.parameters import Snapshot
from streamvace.live.director.prompts import plain
from streamvace.live.worker.chunk_exchange import Feed
from streamvace.live.worker.pace import Pace
from streamvace.records.chunk import Chunk, ChunkInput, PromptMix
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError
from streamvace.system.files import check_writable

FORMAT = "streamvace show 1"

CARRIED = ("generation", "captured_ns", "snapshot_version", "trace", "reset")
"""Fields of a ChunkInput that do not shape the picture; a reset shows in the chunk's index."""

PLAIN = tuple(
    field.name for field in fields(ChunkInput) if field.name not in CARRIED and "Pixels" not in str(field.type)
)
"""Fields that are logged with their values: those that shape the picture and are no pictures."""

_QUEUED = 10_000
"""Lines that may wait for the disk: at least a quarter of an hour of chunks."""

_PENDING = 10_000
"""Changes that may wait for the next chunk. Beyond that, in a long pause, only the newest of each address is kept."""

log = logging.getLogger(__name__)


def plain_fields(inputs: ChunkInput) -> dict[str, Any]:
    """The values that shape a chunk, without its arrays, as JSON values."""
    return {name: to_json(getattr(inputs, name)) for name in PLAIN}


def pictures_of(inputs: ChunkInput) -> list[str]:
    """The names of the arrays of a chunk's input."""
    return sorted(field.name for field in fields(inputs) if isinstance(getattr(inputs, field.name), np.ndarray))


def to_json(value: Any) -> Any:
    """Tuples as lists, a prompt mix as an object; everything else unchanged."""
    if isinstance(value, PromptMix):
        return {"parts": to_json(value.parts), "blend": value.blend}
    return [to_json(item) for item in value] if isinstance(value, tuple) else value


def from_json(value: Any) -> Any:
    """The inverse of `to_json`. Raises ValueError for an object that is no mix of prompts."""
    if isinstance(value, dict):
        try:
            return PromptMix(from_json(value["parts"]), value["blend"])
        except (KeyError, TypeError) as error:
            raise ValueError(f"an object is a mix of prompts, with parts and blend ({error!r})") from None
    return tuple(from_json(item) for item in value) if isinstance(value, list) else value


class ShowLog:
    """Writes the file in the background."""

    def __init__(self, path: Path, head: Mapping[str, object], snapshot: Snapshot) -> None:
        """head: facts about the show. snapshot: the parameters at its start. Raises UserError; see `check_new`."""
        check_new(path)
        self.dropped = 0
        """Lines lost because the disk was too slow or full."""
        self.merged = 0
        """Changes of a long pause replaced by a later one of the same address."""
        self._path = path
        self._start_ns = now_ns()
        self._chunks = 0
        self._shape: dict[str, Any] = {}
        self._precision = ""
        self._pending: list[tuple[int, list[Any]]] = []
        self._lock = threading.Lock()
        self._lines: queue.Queue[str | None] = queue.Queue(_QUEUED)
        values = {address: to_json(value) for address, value in snapshot.values.items()}
        self._put({"format": FORMAT, "streamvace": __version__, **head, "parameters": values})
        self._thread = threading.Thread(target=self._write, name="show log", daemon=True)
        self._thread.start()

    def changed(self, snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        """Listener of the parameters."""
        changes = [[address, to_json(snapshot.values.get(address)), writer] for address, writer in changed.items()]
        with self._lock:
            self._pending += [(snapshot.version, change) for change in changes]
            if len(self._pending) > _PENDING:
                newest = {change[0]: (version, change) for version, change in sorted(self._pending, key=itemgetter(0))}
                self.merged += len(self._pending) - len(newest)
                self._pending = list(newest.values())

    def made(self, inputs: ChunkInput, chunk: Chunk) -> None:
        """Log a chunk and its input."""
        shape = plain_fields(inputs)
        if chunk.prompt is not None:  # the previous prompt while the new one is being encoded
            shape["prompt"] = to_json(plain(PromptMix.of(chunk.prompt)))
        with self._lock:
            due = sorted((entry for entry in self._pending if entry[0] <= inputs.snapshot_version), key=itemgetter(0))
            self._pending = [entry for entry in self._pending if entry[0] > inputs.snapshot_version]
        line = {
            "chunk": self._chunks,
            "s": round((now_ns() - self._start_ns) / 1e9, 4),
            "index": chunk.index,
            "frames": len(chunk.frames),
            "set": [change for _, change in due],
            "shape": {name: value for name, value in shape.items() if self._shape.get(name, self) != value},
            "pictures": pictures_of(inputs),
        }
        if chunk.precision != self._precision:
            line["precision"] = self._precision = chunk.precision
        self._chunks, self._shape = self._chunks + 1, shape
        self._put(line)

    def close(self) -> None:
        """Write the queued lines and close the file. Idempotent."""
        if self._thread.is_alive():
            self._lines.put(None)
            self._thread.join()
        if self.dropped:
            log.warning("%s: %d lines are missing; the disk was too slow or full", self._path, self.dropped)
            self.dropped = 0

    def _put(self, line: Mapping[str, object]) -> None:
        try:
            self._lines.put_nowait(json.dumps(line, ensure_ascii=False))
        except queue.Full:
            self.dropped += 1

    def _write(self) -> None:
        try:
            # Buffered by line, so that lines survive a kill. Half of a surrogate pair becomes its JSON escape.
            with self._path.open("x", encoding="utf-8", errors="backslashreplace", newline="\n", buffering=1) as file:
                while (line := self._lines.get()) is not None:
                    file.write(line + "\n")
                return
        except OSError as error:
            log.error("%s cannot be written any more (%s); the show continues without its log", self._path, error)
        while self._lines.get() is not None:
            self.dropped += 1


def check_new(path: Path) -> None:
    """Raises UserError if no log can be written here, or an existing file would be lost."""
    check_writable(path, "show log")
    if path.exists():
        raise UserError(f"show log {path} exists; choose another name")


class LoggedFeed:
    """A feed whose chunks are logged."""

    def __init__(self, feed: Feed, made: Callable[[ChunkInput, Chunk], None]) -> None:
        self._feed = feed
        self._made = made
        self._inputs: ChunkInput | None = None

    def wait_s(self, pace: Pace) -> float:
        """As the feed."""
        return self._feed.wait_s(pace)

    def build(self, frames: int, first_frames: int) -> ChunkInput:
        """As the feed; keeps the input for the log."""
        self._inputs = self._feed.build(frames, first_frames)
        return self._inputs

    def accept(self, chunk: Chunk, pace: Pace) -> None:
        """Log the chunk and pass it on. Its input is the last one built, since only one is in progress."""
        if self._inputs is not None:
            self._made(self._inputs, chunk)
        self._feed.accept(chunk, pace)
