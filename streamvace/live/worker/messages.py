"""What stage and worker say to each other: small frozen dataclasses over a pipe; pixels go through shared memory.

The pipe joins two processes of one program on one machine and is never reachable from the network, so pickling these
is safe. The version catches a worker of another installation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from streamvace.live.worker.health import Health
from streamvace.records.chunk import Chunk, ChunkInput
from streamvace.records.model_options import ModelOptions

PROTOCOL = 4
"""Goes up when a message changes."""

Picture = TypeVar("Picture", ChunkInput, Chunk)


@dataclass(frozen=True)
class WorkerSetup:
    """Everything the worker needs to start. factory: `module:function`, called with this setup, gives the generator.

    size: (width, height) of the show, already checked. model: how the pipeline is put on this machine.
    warm_up: run every path before READY; a worker that replaces another shows its first chunks instead.
    inbox, outbox: names of the shared memory slots. protocol: see PROTOCOL.
    """

    factory: str
    pipeline: str
    size: tuple[int, int]
    model: ModelOptions = field(default_factory=ModelOptions)
    warm_up: bool = True
    inbox: str = ""
    outbox: str = ""
    protocol: int = PROTOCOL


@dataclass(frozen=True)
class Progress:
    """Worker to stage: still loading or warming up, in a few words. loaded: the weights are in memory."""

    text: str
    loaded: bool = False


@dataclass(frozen=True)
class Ready:
    """Worker to stage: warm. first_frames: control frames the first chunk after a reset wants.

    clock_ns: what the show's clock says in the worker, just now. about: how the model runs: `device`, `precision`,
    `attention` (and why no faster one), `codec`, `offload`.
    """

    size: tuple[int, int]
    first_frames: int
    clock_ns: int
    health: Health = field(default=Health())
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ask:
    """Worker to stage: idle; the next chunk wants so many control frames (unless it is a reset: `first_frames`)."""

    frames: int


@dataclass(frozen=True)
class Plane:
    """Where one array lies in a slot: uint8 of `shape`, `offset` bytes from the start, meant for field `name`."""

    name: str
    shape: tuple[int, ...]
    offset: int


@dataclass(frozen=True)
class Step:
    """Stage to worker: make this chunk. `inputs` without its pixels; those are `planes` of the inbox."""

    inputs: ChunkInput
    planes: tuple[Plane, ...]


@dataclass(frozen=True)
class Done:
    """Worker to stage: the chunk. `chunk` without its pixels; those are `planes` of the outbox."""

    chunk: Chunk
    planes: tuple[Plane, ...]
    health: Health


@dataclass(frozen=True)
class StepFailed:
    """Worker to stage: this chunk failed, the generator was reset, an Ask follows.

    refused: there was a chunk, and it must not be shown: not finite, or flat for no reason.
    """

    line: str
    refused: bool = False


@dataclass(frozen=True)
class Died:
    """Worker to stage, the last message. refused: the user must mend something, trying again is of no use."""

    line: str
    refused: bool
    trace: str = ""


@dataclass(frozen=True)
class Quit:
    """Stage to worker: end."""


def split_pixels(message: Picture) -> tuple[Picture, dict[str, NDArray[np.uint8]]]:
    """Take the array fields out of a dataclass: (the rest, arrays by field name)."""
    values = {field.name: getattr(message, field.name) for field in fields(message)}
    arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
    empty: dict[str, Any] = dict.fromkeys(arrays, np.empty(0, dtype=np.uint8))
    return replace(message, **empty), arrays


def join_pixels(message: Picture, arrays: dict[str, NDArray[np.uint8]]) -> Picture:
    """The opposite of `split_pixels`."""
    pixels: dict[str, Any] = dict(arrays)
    return replace(message, **pixels)
