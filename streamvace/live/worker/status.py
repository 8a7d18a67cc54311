"""The state of the worker as the stage sees it: one immutable Status, replaced as a whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from streamvace.live.worker.health import Health
from streamvace.telemetry.telemetry import Stats


class State(Enum):
    """What the worker is doing."""

    STARTING = "starting"
    WARMING = "warming"
    READY = "ready"
    RUNNING = "running"
    RESTARTING = "restarting"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Status:
    """The worker's state.

    error: what is wrong now, one line, empty once it is over. refused: only the user can fix it.
    failed_steps, refused_chunks: steps that raised, chunks that were not shown. chunk: index of the newest chunk.
    pid: process id, 0 without a worker. pipeline, latency: those that run or are being started. went_back: number of
    reloads that did not start. model: how the model runs, on one line. warm, health: the worker's own figures at READY
    and with its newest chunk.
    """

    state: State = State.STARTING
    error: str = ""
    refused: bool = False
    progress: str = ""
    restarts: int = 0
    failed_steps: int = 0
    refused_chunks: int = 0
    chunk: int = 0
    pid: int = 0
    pipeline: str = ""
    latency: str = "normal"
    went_back: int = 0
    was_loaded: bool = False
    was_ready: bool = False
    model: str = ""
    warm: Health = field(default=Health())
    health: Health = field(default=Health())

    @property
    def loading(self) -> bool:
        """No worker has loaded its weights yet, and one still may."""
        return not (self.was_loaded or self.failed)

    @property
    def failed(self) -> bool:
        """No worker ever became ready, and there will be no further try."""
        return self.state is State.FAILED

    def stats(self) -> Stats:
        """Figures for telemetry."""
        return {
            "worker_state": self.state.value,
            "worker_restarts": self.restarts,
            "worker_failed_steps": self.failed_steps,
            "chunks_refused": self.refused_chunks,
            "worker_recompiles": self.health.compiled - self.warm.compiled,
            "worker_device_mb": self.health.device_mb,
            "worker_device_growth_mb": round(self.health.device_mb - self.warm.device_mb, 1),
            "worker_pid": self.pid,
            "error": self.error,
            "model": self.model,
            "chunk": self.chunk,
        }


class StatusBoard:
    """Holds the newest Status. Updated on the engine thread only; any thread may read it."""

    def __init__(self, on_change: Callable[[Status], None] | None = None) -> None:
        self.status = Status()
        self._on_change = on_change

    def update(self, **changes: object) -> None:
        """Replace these fields of the status."""
        self.status = replace(self.status, **changes)  # type: ignore[arg-type]
        if self._on_change is not None:
            self._on_change(self.status)
