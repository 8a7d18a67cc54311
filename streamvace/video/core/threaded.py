"""Sources and sinks with a thread of their own: a mailbox, an opening that may fail, a close that cannot hang."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from streamvace.records.frame import Frame, check_pixels
from streamvace.system.clock import now_ns
from streamvace.system.console import one_line
from streamvace.system.errors import UserError
from streamvace.video.core.mailbox import Mailbox

log = logging.getLogger(__name__)

Item = TypeVar("Item")


class Threaded(ABC, Generic[Item]):
    """A thread that owns a device, and a one-slot mailbox between it and the show.

    The show never waits for a driver, a codec or a network. A subclass overrides `_run`, which returns soon after
    `close`; its constructor ends with `self._thread.start()` or, if opening may fail, with `_open_on_thread`.
    """

    ROLE: ClassVar[str]
    """"source" or "sink", in front of the name in log lines and thread names."""
    OPEN_SECONDS = 10.0
    CLOSE_SECONDS: float | None = 5.0
    """How long `close` waits for the thread. It is a daemon: the process can end although a driver hangs."""
    SAY_AGAIN_SECONDS = 60.0
    """A fault that repeats is logged this often."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults = 0
        """Faults on the thread so far."""
        self.last_fault = ""
        self._said: dict[str, int] = {}
        self._died: Exception | None = None
        self._opened = threading.Event()
        self._stop = threading.Event()
        self._slot: Mailbox[Item] = Mailbox()
        self._thread = threading.Thread(target=self._guarded, name=f"{self.ROLE} {name}", daemon=True)

    @property
    def dropped(self) -> int:
        """Frames replaced by a newer one before they were taken."""
        return self._slot.dropped

    def close(self) -> None:
        """Stop the thread and wait for it, at most CLOSE_SECONDS. Idempotent."""
        self._stop.set()
        self._slot.close()
        if self._thread.ident is not None:
            self._thread.join(self.CLOSE_SECONDS)

    @abstractmethod
    def _run(self) -> None:
        """The thread."""

    def _open_on_thread(self, fix: str) -> None:
        """Start the thread and return once `_run` has set `self._opened`.

        Raises UserError if `_run` raises first, or after OPEN_SECONDS. fix: what the user can do; it ends the message
        unless `_run` raised a UserError of its own.
        """
        self._thread.start()
        answered = self._opened.wait(self.OPEN_SECONDS)
        died = self._died
        if answered and died is None:
            return
        self.close()
        if isinstance(died, UserError):
            raise died
        why = f"cannot be opened ({one_line(died)})" if died else f"did not answer within {self.OPEN_SECONDS:.0f} s"
        raise UserError(f"{self.name} {why}; {fix}") from died

    def _fault(self, what: str) -> None:
        """Count a fault that the thread survives, and log it unless the same line was logged a moment ago."""
        self.faults += 1
        self.last_fault = what
        now = now_ns()
        recent = {line: said for line, said in self._said.items() if now - said < self.SAY_AGAIN_SECONDS * 1e9}
        if what not in recent:
            recent[what] = now
            log.warning("%s %s: %s", self.ROLE, self.name, what)
        self._said = recent

    def _guarded(self) -> None:
        try:
            self._run()
        except Exception as error:  # noqa: BLE001 - kept for the thread that opens, polls or publishes
            # Not counted: who polls or publishes gets the error, and counts it.
            self.last_fault = f"stopped: {error!r}"
            self._died = error
            if self._stop.is_set():  # closing: nobody asks any more
                log.warning("%s %s: %s", self.ROLE, self.name, self.last_fault)
        finally:
            self._opened.set()


class ThreadedSource(Threaded[Frame]):
    """The thread calls `_offer` for every picture; `poll` takes the newest."""

    ROLE = "source"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.frames = 0
        """Pictures offered so far."""
        self.sender_size = (0, 0)
        """(width, height) of the newest picture before it was fitted; 0 before the first."""

    def poll(self) -> Frame | None:
        """The newest frame or None. Raises what the thread died of, once its last frame is taken."""
        frame = self._slot.take()
        if frame is None and self._died is not None:
            raise self._died
        return frame

    def _offer(self, pixels: NDArray[np.uint8], captured_ns: int) -> None:
        """pixels: uint8 `[H, W, 4]` RGBA, never written again. Raises ValueError for anything else."""
        check_pixels(pixels)
        self._slot.put(Frame(pixels, captured_ns, self.name, self.frames))
        self.frames += 1


class ThreadedSink(Threaded[tuple[Frame, int]]):
    """`publish` leaves a frame; the thread calls `_serve`, which sends the newest."""

    ROLE = "sink"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.sent = 0
        self.skipped = 0
        """Frames not sent because nobody receives."""

    def publish(self, frame: Frame) -> None:
        """Raises ValueError for pixels that are not uint8 `[H, W, 4]`, and what the thread died of."""
        if self._died is not None:
            raise self._died
        check_pixels(frame.pixels)
        self._slot.put((frame, time.time_ns()))

    def _serve(self) -> None:
        """Send frames until closed. A frame that cannot be sent is counted and logged; the next one is tried."""
        while (item := self._slot.wait()) is not None:
            if not self._received():
                self.skipped += 1
                continue
            try:
                self._send(*item)
                self.sent += 1
            except Exception as error:  # noqa: BLE001 - a driver raises anything
                self._fault(one_line(error))

    def _received(self) -> bool:
        """Whether anybody receives what is sent."""
        return True

    @abstractmethod
    def _send(self, frame: Frame, published_ns: int) -> None:
        """Send one frame. published_ns: when `publish` was called, wall clock, since 1970. May raise anything."""
