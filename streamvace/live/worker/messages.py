"""Messages between stage and worker: small frozen dataclasses over a pipe; pixels go through shared memory.

The pipe joins two processes of one program on one machine and is never reachable from the network, so pickling these
is safe. The protocol version detects a worker of another installation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streamvace.live.worker.health import Health
from streamvace.live.worker.shared_frames import Packed
from streamvace.records.chunk import Chunk, ChunkInput
from streamvace.records.model_options import ModelOptions

PROTOCOL = 5
"""Increased when a message changes."""


@dataclass(frozen=True)
class WorkerSetup:
    """Everything the worker needs to start.

    factory: `module:function`, called with this setup, returns the generator. size: (width, height) of the show, valid
    for the pipeline. model: how the pipeline runs on this machine.
    warm_up: run every path before READY, where a first use takes longer (`Generator.warms_up`); a worker that replaces
    another skips it and shows its first chunks sooner.
    inbox, outbox: names of the shared memory. protocol: see PROTOCOL.
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
    """Worker to stage: what it is loading or warming up. loaded: the weights are in memory."""

    text: str
    loaded: bool = False


@dataclass(frozen=True)
class Ready:
    """Worker to stage: warm. first_frames: control frames that the first chunk after a reset takes.

    clock_ns: the worker's clock, just now. about: how the model runs: `device`, `precision`, `attention` (and why no
    faster one), `codec`, `offload`, `latency`.
    """

    size: tuple[int, int]
    first_frames: int
    clock_ns: int
    health: Health = field(default=Health())
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Ask:
    """Worker to stage: idle. frames: control frames of the next chunk, unless it is a reset (`Ready.first_frames`)."""

    frames: int


@dataclass(frozen=True)
class Step:
    """Stage to worker: make this chunk. Its arrays are in the inbox."""

    inputs: Packed[ChunkInput]


@dataclass(frozen=True)
class Done:
    """Worker to stage: the chunk. Its arrays are in the outbox."""

    chunk: Packed[Chunk]
    health: Health


@dataclass(frozen=True)
class StepFailed:
    """Worker to stage: this chunk failed, the generator was reset, an Ask follows.

    refused: there was a chunk, but it must not be shown: not finite, or flat without reason.
    """

    line: str
    refused: bool = False


@dataclass(frozen=True)
class Died:
    """Worker to stage, the last message. refused: only the user can fix it, so another try is pointless."""

    line: str
    refused: bool
    trace: str = ""


@dataclass(frozen=True)
class Quit:
    """Stage to worker: end."""
