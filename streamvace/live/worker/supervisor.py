"""Keeps a worker alive and fed: starts it, watches it, starts it again.

Threads: one engine thread, which owns the worker link, the pace meter and, through `feed`, the director. Status is one
immutable object that anyone may read.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Protocol

from streamvace.live.worker.clock_map import clock_offset, in_stage_time
from streamvace.live.worker.health import Health
from streamvace.live.worker.messages import Ask, Died, Done, Progress, Ready, StepFailed, WorkerSetup
from streamvace.live.worker.pace import Pace, PaceMeter
from streamvace.live.worker.worker_link import WorkerLink
from streamvace.records.chunk import Chunk, ChunkInput
from streamvace.system.clock import Clock, ShowClock
from streamvace.telemetry.memory import free_memory_line
from streamvace.telemetry.reporter import Reporter, one_line
from streamvace.telemetry.telemetry import Stats, Telemetry

_POLL_S = 0.02
"""How often the engine looks at its stop flag and at a withheld chunk; adds half of that to a chunk at most."""


log = logging.getLogger(__name__)


class State(Enum):
    """What the worker is doing, in one word."""

    STARTING = "starting"
    WARMING = "warming"
    READY = "ready"
    RUNNING = "running"
    RESTARTING = "restarting"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Limits:
    """When patience ends. Generous: a slow machine is not a dead one.

    start_s: silence while loading and warming up. first_chunk_s: the first chunk. chunk_s: any later one, or
    `chunk_factor` times the recent mean where that is longer. backoff: pauses before a restart, the last one repeated.
    attempts: starts that may fail before the first READY.
    steady_s: a worker that was ready for this long is no part of a crash loop; the next one starts at once.
    """

    start_s: float = 600.0
    first_chunk_s: float = 180.0
    chunk_s: float = 30.0
    chunk_factor: float = 10.0
    backoff_s: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
    attempts: int = 3
    steady_s: float = 5.0


@dataclass(frozen=True)
class Status:
    """What anyone may know.

    error: what is wrong now, one line; it ends with its cause. refused: the user must mend it. model: how the model
    runs, on one line.
    warm, health: what the worker knew of itself when it became READY, and with its newest chunk.
    pipeline: the one that runs or is being started. went_back: how often a reload did not start.
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
    went_back: int = 0
    was_loaded: bool = False
    was_ready: bool = False
    model: str = ""
    warm: Health = field(default=Health())
    health: Health = field(default=Health())

    @property
    def loading(self) -> bool:
        """No worker has got its weights yet, and one still may."""
        return not (self.was_loaded or self.failed)

    @property
    def failed(self) -> bool:
        """It never became ready, and trying again is of no use."""
        return self.state is State.FAILED


class Feed(Protocol):
    """Where chunks come from and go to. Called on the engine thread only."""

    def wait_s(self, pace: Pace) -> float:
        """How long to withhold the next chunk; 0 when it is wanted now."""

    def build(self, frames: int, first_frames: int) -> ChunkInput:
        """The next chunk's input: with `frames` control frames, or `first_frames` when it is a reset."""

    def accept(self, chunk: Chunk, pace: Pace) -> None:
        """A finished chunk."""


class Link(Protocol):
    """A started worker; see WorkerLink, whose contract this is."""

    @property
    def pid(self) -> int: ...

    @property
    def exit_code(self) -> int | None: ...

    def send(self, inputs: ChunkInput) -> None: ...

    def receive(self, timeout_s: float) -> object: ...

    def chunk(self, done: Done) -> Chunk: ...

    def close(self, grace_s: float) -> None: ...


class _Gone(Exception):
    """This worker is of no more use; the message says why, on one line."""

    def __init__(self, line: str, refused: bool = False) -> None:
        super().__init__(line)
        self.refused = refused


class _Reload(Exception):
    """Another worker is wanted in the place of this one, which has done nothing wrong."""


def _how_it_ended(exit_code: int | None) -> str:
    """A worker that said nothing. Linux kills without a word whoever asks for memory when there is none."""
    line = f"the worker ended with exit code {exit_code}"
    return f"{line} (killed; {free_memory_line()})" if exit_code == -9 else line


class Supervisor:
    """Runs the engine thread. A dead, hung or failing worker costs a restart, never the show."""

    def __init__(
        self,
        setup: WorkerSetup,
        feed: Feed,
        telemetry: Telemetry,
        reporter: Reporter,
        *,
        limits: Limits | None = None,
        on_change: Callable[[Status], None] | None = None,
        connect: Callable[[WorkerSetup], Link] = WorkerLink,
        clock: Clock | None = None,
    ) -> None:
        """connect: starts a worker. clock: the show's."""
        self._setup = setup
        self._wanted: WorkerSetup | None = None
        self._fallback: WorkerSetup | None = None  # what ran before a reload, until the new one is READY
        self._feed = feed
        self._telemetry = telemetry
        self._reporter = reporter
        self._limits = limits or Limits()
        self._on_change = on_change
        self._connect = connect
        self._clock = clock or ShowClock()
        self._stop = threading.Event()
        self._status = Status()
        self._notes: tuple[str, ...] = ()
        self._ready_ns: int | None = None
        self._clock_offset_ns = 0
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    @property
    def status(self) -> Status:
        """The newest status; safe from any thread."""
        return self._status

    def start(self) -> None:
        """Start the engine thread; the worker becomes READY in its own time."""
        self._thread.start()

    def reload(self, setup: WorkerSetup) -> None:
        """Have another worker in the place of this one, soon, without waiting for it; from any thread.

        The output holds what it shows meanwhile. Where the new one does not start, the setup before comes back.
        """
        self._wanted = setup

    def stop(self) -> None:
        """End the worker and the thread. Idempotent."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def stats(self) -> Stats:
        """Figures for telemetry."""
        status = self._status
        return {
            "state": status.state.value,
            "worker_restarts": status.restarts,
            "worker_failed_steps": status.failed_steps,
            "chunks_refused": status.refused_chunks,
            "worker_recompiles": status.health.compiled - status.warm.compiled,
            "worker_device_mb": status.health.device_mb,
            "worker_device_growth_mb": round(status.health.device_mb - status.warm.device_mb, 1),
            "worker_pid": status.pid,
            "error": status.error,
            "model": status.model,
            "chunk": status.chunk,
        }

    def _run(self) -> None:
        """One worker after the other, until stopped or until starting is of no use."""
        crashes = 0
        while not self._stop.is_set():
            self._ready_ns = None
            try:
                self._one_worker()
                break
            except _Reload:
                crashes = 0
                self._take_wanted()
                continue
            except _Gone as gone:
                line, refused = str(gone), gone.refused
            except Exception as error:  # noqa: BLE001 - a fault on the stage's side of the link: counted, reported, retried
                line, refused = one_line(error), False
            ready_s = 0.0 if self._ready_ns is None else (self._clock.now() - self._ready_ns) / 1e9
            crashes = 1 if ready_s > self._limits.steady_s else crashes + 1
            hopeless = refused or crashes >= self._limits.attempts
            if hopeless and self._fallback is not None:
                crashes = 0
                self._go_back(line)
                continue
            if hopeless and not self._status.was_ready:
                self._set(state=State.FAILED, error=line, refused=refused, pid=0)
                return
            self._reporter.report("worker", f"{line}; starting it again")
            self._set(state=State.RESTARTING, error=line, restarts=self._status.restarts + 1, pid=0)
            backoff = self._limits.backoff_s
            pause_s = backoff[min(crashes - 1, len(backoff) - 1)]
            self._clock.wait_until(self._clock.now() + round(pause_s * 1e9), self._stop)
        self._set(state=State.STOPPED, pid=0)

    def _take_wanted(self) -> None:
        assert self._wanted is not None
        if self._status.was_ready:
            self._fallback = self._fallback or self._setup
        self._setup, self._wanted = self._wanted, None
        self._set(state=State.RESTARTING, error="", pid=0, pipeline=self._setup.pipeline)

    def _go_back(self, line: str) -> None:
        """The new setup is of no use; the one before is known to work."""
        assert self._fallback is not None
        line = f"{self._setup.pipeline} does not start: {line}; going back to {self._fallback.pipeline}"
        self._reporter.report("reload", line)
        self._setup, self._fallback = self._fallback, None
        went_back = self._status.went_back + 1
        self._set(state=State.RESTARTING, error=line, pid=0, pipeline=self._setup.pipeline, went_back=went_back)

    def _one_worker(self) -> None:
        """The life of one worker. Returns when stopped, raises _Gone when it is of no more use."""
        if self._status.restarts == 0:
            self._set(state=State.STARTING)
        # After a crash a picture soon is worth more than one without a hiccup later; a reload was asked for.
        warm_up = not self._status.was_ready or self._fallback is not None
        link = self._connect(replace(self._setup, warm_up=warm_up))
        grace_s = 0.0  # one that is hung or dead gets none
        try:
            self._set(pid=link.pid, pipeline=self._setup.pipeline)
            ready = self._await_ready(link)
            if ready is not None:
                self._serve(link, ready)
            grace_s = 1.5
        except _Reload:
            grace_s = 1.5
            raise
        finally:
            link.close(grace_s)

    def _await_ready(self, link: Link) -> Ready | None:
        """Load and warm up; any word from the worker extends its time. None when stopped meanwhile."""
        started_ns = heard_ns = self._clock.now()
        while not self._stop.is_set():
            message = self._receive(link)
            if isinstance(message, Progress):
                heard_ns = self._clock.now()
                if message.loaded and not self._status.was_ready:
                    self._set(state=State.WARMING, was_loaded=True)
                self._set(progress=message.text)
            elif isinstance(message, Ready):
                if message.size != self._setup.size:
                    raise _Gone(f"the model makes {message.size} pictures, the show is {self._setup.size}", True)
                self._ready_ns = self._clock.now()
                self._fallback = None
                log.info("the model runs: %s", _line(message.about))
                self._clock_offset_ns = clock_offset(started_ns, self._ready_ns, message.clock_ns)
                self._set(
                    state=State.READY,
                    progress="",
                    was_ready=True,
                    model=_line(message.about),
                    warm=message.health,
                    health=message.health,
                )
                return message
            elif (self._clock.now() - heard_ns) / 1e9 > self._limits.start_s:
                raise _Gone(f"the worker said nothing for {self._limits.start_s:g} s while starting")
        return None

    def _serve(self, link: Link, ready: Ready) -> None:
        """Ask, step, done, until stopped. The only place where a chunk is in flight."""
        meter = PaceMeter()
        ask: Ask | None = None
        sent_ns: int | None = None
        while not self._stop.is_set():
            if ask is not None and self._feed.wait_s(meter.pace()) <= 0:
                inputs = self._feed.build(ask.frames, ready.first_frames)
                sent_ns, ask = self._clock.now(), None
                self._send(link, inputs)
            message = self._receive(link)
            if isinstance(message, Ask):
                ask = message
            elif isinstance(message, StepFailed):
                sent_ns = None
                self._reporter.report("chunk", message.line)
                status = self._status
                self._set(
                    error=message.line,
                    failed_steps=status.failed_steps + (not message.refused),
                    refused_chunks=status.refused_chunks + message.refused,
                )
            elif isinstance(message, Done) and sent_ns is not None:
                seconds = (self._clock.now() - sent_ns) / 1e9
                sent_ns = None
                self._set(health=message.health)
                self._finish(in_stage_time(link.chunk(message), self._clock_offset_ns), meter, seconds)
            elif sent_ns is not None and (self._clock.now() - sent_ns) / 1e9 > self._deadline_s(meter.pace()):
                raise _Gone(f"a chunk took longer than {self._deadline_s(meter.pace()):g} s")

    def _finish(self, chunk: Chunk, meter: PaceMeter, seconds: float) -> None:
        self._telemetry.chunk(seconds, chunk.seconds)
        self._feed.accept(chunk, meter.record(len(chunk.frames), seconds))
        if chunk.notes != self._notes:  # the same remark comes with every chunk of a prompt; once is enough
            self._notes = chunk.notes
            for note in chunk.notes:
                self._reporter.report("note", note)
        # A remark lasts as long as its cause; what went wrong before this chunk is over, and news with the reporter.
        self._set(state=State.RUNNING, chunk=chunk.index, error=chunk.notes[-1] if chunk.notes else "")

    def _deadline_s(self, pace: Pace) -> float:
        if pace.step_s <= 0:
            return self._limits.first_chunk_s
        return max(self._limits.chunk_s, self._limits.chunk_factor * pace.step_s)

    def _send(self, link: Link, inputs: ChunkInput) -> None:
        try:
            link.send(inputs)
        except OSError as error:
            raise _Gone(f"the worker went away ({one_line(error)})") from error

    def _receive(self, link: Link) -> object:
        """The next message or None. Raises _Gone for a worker that ended or says that it ends, and _Reload."""
        if self._wanted is not None:
            raise _Reload
        try:
            message = link.receive(_POLL_S)
        except EOFError:
            link.close(0.0)
            raise _Gone(_how_it_ended(link.exit_code)) from None
        if isinstance(message, Died):
            log.debug("the worker's last words:\n%s", message.trace)
            raise _Gone(message.line, message.refused)
        return message

    def _set(self, **changes: object) -> None:
        self._status = replace(self._status, **changes)  # type: ignore[arg-type]
        if self._on_change is not None:
            self._on_change(self._status)


def _line(about: Mapping[str, str]) -> str:
    return ", ".join(f"{what} {how}" for what, how in about.items())
