"""The exchange of chunks with a ready worker: it asks, the feed builds an input, the finished chunk goes to the feed.

Threads: everything here runs on the engine thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from streamvace.live.worker.clock_map import in_stage_time
from streamvace.live.worker.limits import Limits
from streamvace.live.worker.messages import Ask, Died, Done, StepFailed
from streamvace.live.worker.pace import Pace, PaceMeter
from streamvace.live.worker.status import State, StatusBoard
from streamvace.records.chunk import Chunk, ChunkInput
from streamvace.system.clock import AwakeTime, Clock
from streamvace.system.console import one_line
from streamvace.telemetry.memory import free_memory_line
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Telemetry

_POLL_S = 0.02
"""How often the engine looks at its stop flag and at a withheld chunk; delays a chunk by half of that on average."""

log = logging.getLogger(__name__)


class Feed(Protocol):
    """Builds the inputs of chunks and takes the finished ones. Called on the engine thread only."""

    def wait_s(self, pace: Pace) -> float:
        """How long to withhold the next chunk; 0: build it now."""

    def build(self, frames: int, first_frames: int) -> ChunkInput:
        """The next chunk's input, with `frames` control frames, or `first_frames` when it is a reset."""

    def accept(self, chunk: Chunk, pace: Pace) -> None:
        """Take a finished chunk."""


class Link(Protocol):
    """A started worker; see WorkerLink."""

    @property
    def pid(self) -> int: ...

    @property
    def exit_code(self) -> int | None: ...

    def send(self, inputs: ChunkInput) -> None: ...

    def receive(self, timeout_s: float) -> object: ...

    def chunk(self, done: Done) -> Chunk: ...

    def close(self, grace_s: float) -> None: ...


class WorkerGone(Exception):
    """This worker is dead or must be replaced; the message says why, on one line. refused: only the user can fix it."""

    def __init__(self, line: str, refused: bool = False) -> None:
        super().__init__(line)
        self.refused = refused


def receive(link: Link) -> object:
    """The worker's next message; None when there is none soon. Raises WorkerGone when it died or is about to."""
    try:
        message = link.receive(_POLL_S)
    except EOFError:
        link.close(0.0)
        line = f"the worker ended with exit code {link.exit_code}"
        # Linux kills without a message what asks for memory when there is none left.
        raise WorkerGone(f"{line} (killed; {free_memory_line()})" if link.exit_code == -9 else line) from None
    if isinstance(message, Died):
        log.debug("the worker's last message:\n%s", message.trace)
        raise WorkerGone(message.line, message.refused)
    return message


@dataclass
class ChunkExchange:
    """Serves one worker after another. must_leave: whether to leave the worker, checked every `_POLL_S`."""

    feed: Feed
    telemetry: Telemetry
    reporter: Reporter
    board: StatusBoard
    limits: Limits
    clock: Clock
    must_leave: Callable[[], bool]
    _notes: tuple[str, ...] = ()

    def serve(self, link: Link, first_frames: int, clock_offset_ns: int) -> None:
        """Exchange chunks until `must_leave`. At most one chunk is in flight. Raises WorkerGone.

        The time of a chunk leaves out stalls of the stage: only a worker that hangs by itself reaches its limit.
        """
        meter = PaceMeter()
        ask: Ask | None = None
        in_flight: AwakeTime | None = None
        while not self.must_leave():
            if ask is not None and self.feed.wait_s(meter.pace()) <= 0:
                inputs = self.feed.build(ask.frames, first_frames)
                in_flight, ask = AwakeTime(self.clock), None
                _send(link, inputs)
            message = receive(link)
            seconds = 0.0 if in_flight is None else in_flight.seconds()
            if isinstance(message, Ask):
                ask = message
            elif isinstance(message, StepFailed):
                in_flight = None
                self._failed(message)
            elif isinstance(message, Done) and in_flight is not None:
                in_flight = None
                self.board.update(health=message.health)
                self._finished(in_stage_time(link.chunk(message), clock_offset_ns), meter, seconds)
            elif seconds > self.limits.deadline_s(meter.pace()):
                raise WorkerGone(f"a chunk took longer than {self.limits.deadline_s(meter.pace()):g} s")

    def _failed(self, message: StepFailed) -> None:
        self.reporter.report("chunk", message.line)
        status = self.board.status
        self.board.update(
            error=message.line,
            failed_steps=status.failed_steps + (not message.refused),
            refused_chunks=status.refused_chunks + message.refused,
        )

    def _finished(self, chunk: Chunk, meter: PaceMeter, seconds: float) -> None:
        self.telemetry.chunk(seconds, chunk.seconds)
        self.feed.accept(chunk, meter.record(len(chunk.frames), seconds))
        if chunk.notes != self._notes:  # every chunk of a prompt repeats its notes; report them once
            self._notes = chunk.notes
            for note in chunk.notes:
                self.reporter.report("note", note)
        # A note stays for as long as the chunks carry it; an error before this chunk is over.
        self.board.update(state=State.RUNNING, chunk=chunk.index, error=chunk.notes[-1] if chunk.notes else "")


def _send(link: Link, inputs: ChunkInput) -> None:
    try:
        link.send(inputs)
    except OSError as error:
        raise WorkerGone(f"the worker went away ({one_line(error)})") from error
