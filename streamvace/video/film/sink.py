"""Recording the live output to a file."""

from __future__ import annotations

import logging
import math
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from numpy.typing import NDArray

from streamvace.records.frame import Frame
from streamvace.system.errors import UserError

log = logging.getLogger(__name__)


class Film(Protocol):
    """A `FilmProcess`, or a `VideoWriter` in this process. May block; one thread writes."""

    path: Path
    part: Path

    def write(self, pixels: NDArray[np.uint8], index: int) -> None: ...

    def close(self) -> None: ...


class FileSink:
    """Writes published frames on a thread of its own, behind a bounded queue.

    If the disk or the encoder is too slow or hangs, frames are dropped and counted, and the show goes on. The film
    keeps its true length: the frame before a dropped one is shown longer.
    """

    QUEUED = 32
    """Frames that may wait: about a second, 50 MB at 832x480."""
    STARTING_BYTES = 512_000_000
    """Frames that may wait while the encoder starts, which takes seconds on a busy machine or behind a virus scanner:
    10 s at 832x480 and 30 frames a second, 2 s at 1920x1080."""
    CLOSE_SECONDS = 30.0
    """How long the encoder may take for one frame, or for the end of the file, before the film is given up."""

    def __init__(self, film: Film, rate: float, tell: Callable[[str], object] = log.warning) -> None:
        """rate: of the output clock, in frames a second, as given to the film. tell: called with lines for the user,
        never on the thread that publishes, because a terminal can block."""
        self.name = str(film.path)
        self.published = 0
        self.dropped = 0
        """Frames left out because the queue was full or a fault came before."""
        self.faults = 0
        self.last_fault = ""
        self._film = film
        self._rate = rate
        self._tell = tell
        self._told_slow = False
        self._step = 1.0
        self._position = 0.0
        self._room = math.inf
        """Frames that may wait. What piled up at the start may only become less, until it is QUEUED."""
        self._queue: queue.SimpleQueue[tuple[int, Frame] | None] = queue.SimpleQueue()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"sink {film.path.name}", daemon=True)
        self._thread.start()

    def publish(self, frame: Frame) -> None:
        index, self._position = int(self._position), self._position + self._step
        self.published += 1
        if index == int(self._position):
            return  # the output is faster than the film: the next frame replaces this one
        at_most = min(self._room, max(self.QUEUED, self.STARTING_BYTES // frame.pixels.nbytes))
        if self._queue.qsize() < at_most:  # only this thread puts frames in
            self._queue.put((index, frame))
        else:
            self.dropped += 1

    def tell_if_slow(self) -> None:
        """Tell the user, once, that frames are left out."""
        if self.dropped and not (self._told_slow or self.faults):
            self._told_slow = True
            self._tell(f"{self.name}: the disk or the encoder is too slow; frames are left out")

    def set_rate(self, rate: float) -> None:
        """The film keeps its rate and the show's speed: frames are shown longer, or the newest of several is kept."""
        self._step = self._rate / rate

    def close(self) -> None:
        """Write the queued frames, finish the file and rename it. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        waiting = math.inf
        while self._thread.is_alive() and self._queue.qsize() < waiting:
            waiting = self._queue.qsize()
            self._thread.join(self.CLOSE_SECONDS)
        if self._thread.is_alive():  # the encoder hangs; the thread ends with the process
            self._fault(f"the encoder did nothing for {self.CLOSE_SECONDS:.0f} s; see {self._film.part}")
        if self.dropped and not self.faults:
            self._tell(f"{self.name}: {self.dropped} of {self.published} frames were left out")

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            index, frame = item
            if self.faults:
                self.dropped += 1
                continue
            try:
                self._film.write(frame.pixels, index)  # the first one returns when the encoder has started
                self._room = min(self._room, self._queue.qsize() + self.QUEUED)
                self.tell_if_slow()
            except UserError as error:
                self._fault(str(error))
            except (av.FFmpegError, OSError) as error:  # a full disk, most of all
                self._fault(f"{self._film.path} cannot be written any more ({error}); free some space")
        try:
            self._film.close()
        except UserError as error:
            self._fault(str(error))
        except (av.FFmpegError, OSError) as error:
            self._fault(f"{self._film.path} could not be finished ({error}); see {self._film.part}")

    def _fault(self, what: str) -> None:
        self.faults += 1
        self.last_fault = what
        self._tell(what)
