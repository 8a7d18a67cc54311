"""The worker process: owns the generator and nothing else.

One thread does everything in turn: ask, receive, step, answer. A second one only watches for the parent's death, since
a step that hangs would never notice it. Ctrl-C is the stage's business; the worker ends when it is told to or when the
pipe closes.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from streamvace.live.worker.chunk_guard import ChunkGuard
from streamvace.live.worker.health import measure
from streamvace.live.worker.messages import (
    PROTOCOL,
    Ask,
    Died,
    Done,
    Progress,
    Quit,
    Ready,
    Step,
    StepFailed,
    WorkerSetup,
    join_pixels,
    split_pixels,
)
from streamvace.live.worker.out_of_memory import give_back_memory, is_out_of_memory, shortage_line
from streamvace.live.worker.shared_frames import SharedFrames
from streamvace.records.chunk import Chunk, ChunkInput
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError
from streamvace.system.priority import step_back
from streamvace.telemetry.reporter import one_line

DEFAULT_FACTORY = "streamvace.live.worker.worker:load_generator"

_FAILURES_IN_A_ROW = 3
"""Steps that may fail one after the other before the process gives up and is started afresh."""

_SHORTAGES_IN_A_ROW = 2
"""Steps that may run out of memory: what a second try cannot get, only a fresh process can."""

_STAGE_GONE = (EOFError, BrokenPipeError, ConnectionResetError)

log = logging.getLogger(__name__)


class ChunkMaker(Protocol):
    """What the worker needs of a generator."""

    @property
    def size(self) -> tuple[int, int]: ...

    @property
    def about(self) -> dict[str, str]: ...

    def frames_wanted(self) -> int: ...

    def step(self, inputs: ChunkInput, /) -> Chunk: ...

    def warm_up(self, progress: Callable[..., None], /) -> None: ...

    def reset(self) -> None: ...


def load_generator(setup: WorkerSetup) -> ChunkMaker:
    """The real generator, from the pipeline table and its weights."""
    from streamvace.stream.loading import load_generator as load

    made = load(setup.pipeline, setup.size, setup.model)
    if made.device.type == "cpu":
        step_back()
    return made


def worker_main(setup: WorkerSetup, connection: Connection[Any, Any]) -> None:
    """The process's entry. Everything that goes wrong is said in a last message; the exit code is 1 then."""
    _ignore_interrupts()
    threading.Thread(target=_die_with_parent, name="parent watch", daemon=True).start()
    try:
        _serve(setup, connection)
    except _STAGE_GONE:
        return
    except Exception as error:  # noqa: BLE001 - the last words of a process; the supervisor counts and reports them
        died = Died(_last_words(error), isinstance(error, UserError), traceback.format_exc())
        try:
            connection.send(died)
        except OSError:
            log.debug("the stage went away before it could be told: %s", died.line)
        raise SystemExit(1) from None


def _serve(setup: WorkerSetup, connection: Connection[Any, Any]) -> None:
    if setup.protocol != PROTOCOL:
        raise UserError(f"the worker speaks protocol {PROTOCOL}, the stage {setup.protocol}: install streamvace again")
    inbox, outbox = SharedFrames.attach(setup.inbox), SharedFrames.attach(setup.outbox)
    try:
        connection.send(Progress(f"loading {setup.pipeline}"))
        generator = resolve(setup.factory)(setup)
        connection.send(Progress("warming up", loaded=True))
        if setup.warm_up:
            generator.warm_up(lambda *parts: connection.send(Progress(" ".join(map(str, parts)), loaded=True)))
            generator.reset()
        connection.send(Ready(generator.size, generator.frames_wanted(), now_ns(), measure(), generator.about))
        _loop(generator, connection, inbox, outbox)
    finally:
        inbox.close()
        outbox.close()


def _loop(generator: ChunkMaker, connection: Connection[Any, Any], inbox: SharedFrames, outbox: SharedFrames) -> None:
    guard = ChunkGuard()
    failures = 0
    while True:
        connection.send(Ask(generator.frames_wanted()))
        message = connection.recv()
        if isinstance(message, Quit):
            return
        assert isinstance(message, Step)
        try:
            inputs = join_pixels(message.inputs, inbox.read(message.planes))
            started_ns = now_ns()
            chunk = generator.step(inputs)
            refusal = guard.refusal(inputs, chunk)
            header, pixels = split_pixels(_traced(chunk, inputs, started_ns))
            reply: Done | StepFailed = Done(header, outbox.write(pixels), measure())
        except Exception as error:
            short = is_out_of_memory(error)
            failures += 1
            if failures >= (_SHORTAGES_IN_A_ROW if short else _FAILURES_IN_A_ROW):
                raise
            log.debug("a step failed", exc_info=True)
            generator.reset()
            if short:
                give_back_memory()
            reply = StepFailed(_last_words(error), refused=isinstance(error, FloatingPointError))
        else:
            failures = 0
            if refusal:
                generator.reset()
                reply = StepFailed(refusal, refused=True)
        connection.send(reply)


def _last_words(error: Exception) -> str:
    """What to say about it, on one line; with both numbers where memory ran out."""
    if is_out_of_memory(error):
        return shortage_line(error)
    return " ".join(str(error).split()) if isinstance(error, UserError) else one_line(error)


def _traced(chunk: Chunk, inputs: ChunkInput, started_ns: int) -> Chunk:
    """The chunk with its times. On a GPU the networks are done when the decoder starts on their result."""
    decoded_ns = now_ns()
    ended_ns = decoded_ns - round(chunk.seconds.get("decode", 0.0) * 1e9)
    return replace(chunk, trace=replace(inputs.trace, started_ns=started_ns, ended_ns=ended_ns, decoded_ns=decoded_ns))


def resolve(factory: str) -> Callable[[WorkerSetup], ChunkMaker]:
    """`module:function` as the function."""
    module, _, name = factory.partition(":")
    found: Callable[[WorkerSetup], ChunkMaker] = getattr(importlib.import_module(module), name)
    return found


def _ignore_interrupts() -> None:
    """Ctrl-C reaches every process of the console; the stage alone decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        # The stage blocked it while starting this process, so that an early Ctrl-C could not hit the imports.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
