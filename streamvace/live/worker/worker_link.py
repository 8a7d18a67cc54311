"""One worker process as the stage sees it: its pipe, its shared memory, its life.

Threads: owned by the engine thread. A link is used for one process and thrown away with it.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import Any

from streamvace.live.worker.messages import Done, Quit, Step, WorkerSetup, join_pixels, split_pixels
from streamvace.live.worker.shared_frames import SharedFrames
from streamvace.live.worker.worker import worker_main
from streamvace.records.chunk import MAX_REFERENCES, Chunk, ChunkInput

MAX_CHUNK_FRAMES = 24
"""Room in the slots: twice the longest chunk of any pipeline."""

INBOX_BYTES = MAX_CHUNK_FRAMES * (3 + 1 + 3 + 3 + 1) + (MAX_REFERENCES + 2) * 3
"""Most bytes a pixel that a ChunkInput has: control, mask, source, second control and scale map, frame by frame;
references, first and last frame."""

OUTBOX_BYTES = MAX_CHUNK_FRAMES * 4

_GRACE_S = 1.5
"""How long a worker may take to end by itself before it is killed."""


class WorkerLink:
    """A started worker. `close` always leaves no process and no shared memory behind."""

    def __init__(self, setup: WorkerSetup) -> None:
        width, height = setup.size
        self._slots: list[SharedFrames] = []
        try:
            self._inbox = self._slot(width * height * INBOX_BYTES)
            self._outbox = self._slot(width * height * OUTBOX_BYTES)
            # spawn everywhere: fork would copy threads' locks and GPU state, and Windows has nothing else.
            context = get_context("spawn")
            self._pipe, theirs = context.Pipe()
            named = replace(setup, inbox=self._inbox.name, outbox=self._outbox.name)
            # A daemon, so that even a stage that fails on its way out does not wait for it; `close` ends it in order.
            self._process = context.Process(
                target=worker_main, args=(named, theirs), name="streamvace worker", daemon=True
            )
            with _interrupts_held_back():
                self._process.start()
        except BaseException:
            self._free_slots()
            raise
        theirs.close()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid or 0

    @property
    def exit_code(self) -> int | None:
        """None while it lives."""
        return self._process.exitcode

    def send(self, inputs: ChunkInput) -> None:
        """Give the worker its next chunk. Only after its Ask: the inbox is its to read until the answer came."""
        header, pixels = split_pixels(inputs)
        self._pipe.send(Step(header, self._inbox.write(pixels)))

    def receive(self, timeout_s: float) -> Any:
        """The next message, or None when none came in time.

        Raises EOFError when the worker is dead and everything it said has been read.
        """
        ready = wait([self._pipe, self._process.sentinel], timeout_s)
        try:
            # poll: what a dead worker said last is read before its death is noticed.
            if self._pipe in ready or self._pipe.poll():
                return self._pipe.recv()
        except OSError as error:  # Windows and reset pipes: the same news as EOF
            raise EOFError(str(error)) from error
        if self._process.sentinel in ready:
            raise EOFError("the worker ended")
        return None

    def chunk(self, done: Done) -> Chunk:
        """The finished chunk with its pixels, copied out of shared memory."""
        return join_pixels(done.chunk, self._outbox.read(done.planes))

    def close(self, grace_s: float = _GRACE_S) -> None:
        """End the process, politely for `grace_s`, then by force, and free the memory. Idempotent."""
        if self._process.is_alive() and grace_s > 0:
            with suppress(OSError):  # it may be going already
                self._pipe.send(Quit())
            self._process.join(grace_s)
        if self._process.is_alive():
            self._process.kill()
        self._process.join()
        self._pipe.close()
        self._free_slots()

    def _slot(self, nbytes: int) -> SharedFrames:
        slot = SharedFrames.create(nbytes)
        self._slots.append(slot)
        return slot

    def _free_slots(self) -> None:
        while self._slots:
            self._slots.pop().close()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """A child inherits this thread's signal mask: Ctrl-C during its imports must not end in a traceback."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
