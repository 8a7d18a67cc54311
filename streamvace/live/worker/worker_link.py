"""The stage's end of one worker process: the process itself, its pipe and its shared memory.

Threads: owned by the engine thread. A link serves one process and is discarded with it.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import Any

from streamvace.live.worker.messages import Done, Quit, Step, WorkerSetup
from streamvace.live.worker.shared_frames import SharedFrames
from streamvace.live.worker.worker import worker_main
from streamvace.records.chunk import MAX_REFERENCES, Chunk, ChunkInput
from streamvace.system.console_events import children_without_interrupts

MAX_CHUNK_FRAMES = 24
"""Frames that the shared memory has room for: twice the longest chunk of any pipeline."""

INBOX_BYTES = MAX_CHUNK_FRAMES * (3 + 1 + 3 + 3 + 1) + (MAX_REFERENCES + 2) * 3
"""Most bytes per pixel of a ChunkInput: control, mask, source, second control and scale map of every frame; references,
first and last frame."""

OUTBOX_BYTES = MAX_CHUNK_FRAMES * 4
"""The same for a Chunk: RGB and alpha."""

GRACE_S = 1.5
"""How long a healthy worker may take to end by itself."""


class WorkerLink:
    """A started worker. After `close`, neither the process nor its shared memory exists."""

    def __init__(self, setup: WorkerSetup) -> None:
        """Raises UserError without memory for the pixels."""
        width, height = setup.size
        with ExitStack() as memory:
            self._inbox = memory.enter_context(closing(SharedFrames.create(width * height * INBOX_BYTES)))
            self._outbox = memory.enter_context(closing(SharedFrames.create(width * height * OUTBOX_BYTES)))
            # spawn everywhere: fork would copy the threads' locks and the GPU state, and Windows has no fork.
            context = get_context("spawn")
            self._pipe, theirs = context.Pipe()
            named = replace(setup, inbox=self._inbox.name, outbox=self._outbox.name)
            # A daemon, so that a stage that fails while shutting down does not wait for it. `close` ends it cleanly.
            self._process = context.Process(
                target=worker_main, args=(named, theirs), name="streamvace worker", daemon=True
            )
            with _interrupts_blocked():
                self._process.start()
            self._memory = memory.pop_all()
        theirs.close()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid or 0

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.exitcode

    def send(self, inputs: ChunkInput) -> None:
        """Send the next chunk's input. Only after an Ask: until its answer, the worker reads the inbox."""
        self._pipe.send(Step(self._inbox.pack(inputs)))

    def receive(self, timeout_s: float) -> Any:
        """The next message, or None when none came in time.

        Raises EOFError when the worker is dead and all its messages have been read.
        """
        ready = wait([self._pipe, self._process.sentinel], timeout_s)
        try:
            # poll: the last messages of a dead worker are read before its death is noticed.
            if self._pipe in ready or self._pipe.poll():
                return self._pipe.recv()
        except OSError as error:  # Windows, and pipes that were reset: the same as EOF
            raise EOFError(str(error)) from error
        if self._process.sentinel in ready:
            raise EOFError("the worker ended")
        return None

    def chunk(self, done: Done) -> Chunk:
        """The finished chunk with its pixels, copied out of shared memory."""
        return self._outbox.unpack(done.chunk)

    def close(self, grace_s: float = GRACE_S) -> None:
        """End the process, by force after `grace_s`, and free the memory. Idempotent."""
        if self._process.is_alive() and grace_s > 0:
            with suppress(OSError):  # it may be ending already
                self._pipe.send(Quit())
            self._process.join(grace_s)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._pipe.close()
        self._memory.close()


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """A child started meanwhile gets no Ctrl-C, which during its imports would print a traceback. POSIX: it inherits
    this thread's signal mask."""
    if sys.platform == "win32":
        with children_without_interrupts():
            yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
