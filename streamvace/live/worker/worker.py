"""The worker process: owns the generator and nothing else.

One thread asks, receives, steps and answers in turn. A second one only watches for the parent's death, which a hanging
step would not notice. The worker ignores Ctrl-C: it ends when the stage tells it to, or when the pipe closes.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import closing
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
)
from streamvace.live.worker.out_of_memory import give_back_memory, is_out_of_memory, shortage_line
from streamvace.live.worker.shared_frames import SharedFrames
from streamvace.records.chunk import Chunk, ChunkInput
from streamvace.system.clock import now_ns
from streamvace.system.console import one_line
from streamvace.system.errors import UserError
from streamvace.system.priority import step_back
from streamvace.telemetry.logs import log_to_console

DEFAULT_FACTORY = "streamvace.live.worker.worker:load_generator"

_FAILURES_IN_A_ROW = 3
"""Failed steps in a row after which the process gives up and is restarted."""

_SHORTAGES_IN_A_ROW = 2
"""Steps in a row that may run out of memory: if a second try fails too, only a new process can help."""

_STAGE_GONE = (EOFError, BrokenPipeError, ConnectionResetError)

log = logging.getLogger(__name__)


class ChunkMaker(Protocol):
    """The part of a generator that the worker uses."""

    @property
    def size(self) -> tuple[int, int]: ...

    @property
    def about(self) -> dict[str, str]: ...

    @property
    def warms_up(self) -> bool: ...

    def frames_wanted(self) -> int: ...

    def step(self, inputs: ChunkInput, /) -> Chunk: ...

    def warm_up(self, progress: Callable[..., None], /) -> None: ...

    def reset(self) -> None: ...


def load_generator(setup: WorkerSetup) -> ChunkMaker:
    """The default factory: the pipeline's generator with its weights."""
    if "," in setup.model.device:
        from streamvace.live.worker.card_group import CardGroup

        return CardGroup(setup)
    from streamvace.stream.loading import load_generator as load

    made = load(setup.pipeline, setup.size, setup.model)
    if made.device.type == "cpu":
        step_back()
    return made


def worker_main(setup: WorkerSetup, connection: Connection[Any, Any]) -> None:
    """Entry point of the process. An error is sent as the last message; the exit code is then 1."""
    log_to_console(verbose=False)
    _ignore_interrupts()
    threading.Thread(target=_die_with_parent, name="parent watch", daemon=True).start()
    try:
        _serve(setup, connection)
    except _STAGE_GONE:
        return
    except Exception as error:  # noqa: BLE001 - sent as the last message; the supervisor counts and reports it
        died = Died(_describe(error), isinstance(error, UserError), traceback.format_exc())
        try:
            connection.send(died)
        except OSError:
            log.debug("the stage went away before this was sent: %s", died.line)
        raise SystemExit(1) from None


def _serve(setup: WorkerSetup, connection: Connection[Any, Any]) -> None:
    """Load, warm up, then make chunks until told to quit."""
    if setup.protocol != PROTOCOL:
        raise UserError(f"the worker speaks protocol {PROTOCOL}, the stage {setup.protocol}: install streamvace again")
    with closing(SharedFrames.attach(setup.inbox)) as inbox, closing(SharedFrames.attach(setup.outbox)) as outbox:
        connection.send(Progress(f"loading {setup.pipeline}"))
        generator = resolve(setup.factory)(setup)
        connection.send(Progress("warming up", loaded=True))
        if setup.warm_up and generator.warms_up:
            generator.warm_up(lambda *parts: connection.send(Progress(" ".join(map(str, parts)), loaded=True)))
            generator.reset()
        connection.send(Ready(generator.size, generator.frames_wanted(), now_ns(), measure(), generator.about))
        guard, failures = ChunkGuard(), 0
        while True:
            connection.send(Ask(generator.frames_wanted()))
            message = connection.recv()
            if isinstance(message, Quit):
                return
            assert isinstance(message, Step)
            try:
                reply = _step(generator, guard, inbox.unpack(message.inputs), outbox)
                failures = 0
            except Exception as error:
                failures += 1
                if failures >= (_SHORTAGES_IN_A_ROW if is_out_of_memory(error) else _FAILURES_IN_A_ROW):
                    raise
                reply = _recover(generator, error)
            connection.send(reply)


def _step(generator: ChunkMaker, guard: ChunkGuard, inputs: ChunkInput, outbox: SharedFrames) -> Done | StepFailed:
    """Make one chunk. A chunk that the guard refuses resets the generator."""
    started_ns = now_ns()
    chunk = generator.step(inputs)
    refusal = guard.refusal(inputs, chunk)
    if refusal:
        generator.reset()
        return StepFailed(refusal, refused=True)
    decoded_ns = now_ns()
    # On a GPU, the networks have finished when the decoder starts on their result.
    ended_ns = decoded_ns - round(chunk.seconds.get("decode", 0.0) * 1e9)
    trace = replace(inputs.trace, started_ns=started_ns, ended_ns=ended_ns, decoded_ns=decoded_ns)
    return Done(outbox.pack(replace(chunk, trace=trace)), measure())


def _recover(generator: ChunkMaker, error: Exception) -> StepFailed:
    """Reset the generator after a step that raised."""
    log.debug("a step failed", exc_info=True)
    generator.reset()
    if is_out_of_memory(error):
        give_back_memory(error)
    return StepFailed(_describe(error), refused=isinstance(error, FloatingPointError))


def _describe(error: Exception) -> str:
    """The error on one line; for a lack of memory with the amounts needed and free."""
    if is_out_of_memory(error):
        return shortage_line(error)
    return one_line(error)


def resolve(factory: str) -> Callable[[WorkerSetup], ChunkMaker]:
    """The function that `module:function` names."""
    module, _, name = factory.partition(":")
    found: Callable[[WorkerSetup], ChunkMaker] = getattr(importlib.import_module(module), name)
    return found


def _ignore_interrupts() -> None:
    """Ctrl-C and Windows' Ctrl-Break reach every process of the console; only the stage acts on them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        signal.signal(signal.SIGBREAK, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        # The stage blocked it while starting this process, so that an early Ctrl-C does not interrupt the imports.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
