"""The shape shared by sources that fetch pictures on a thread of their own."""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from streamvace.records.frame import Frame, check_pixels
from streamvace.system.clock import now_ns
from streamvace.video.core.mailbox import Mailbox

log = logging.getLogger(__name__)


class ThreadedSource(ABC):
    """A thread fills a one-slot mailbox, `poll` empties it.

    Whatever a driver, a codec or a network does, the caller of `poll` never waits for it. A subclass overrides `_run`,
    which returns when `self._stop` is set, and calls `_offer` for every picture.
    """

    CLOSE_SECONDS = 5.0
    SAY_AGAIN_SECONDS = 60.0
    """A damaged file in a loop is the same news at every pass."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.frames = 0
        """Pictures offered so far."""
        self.faults = 0
        """Things that went wrong on the thread and were survived."""
        self.last_fault = ""
        self.sender_size = (0, 0)
        """(width, height) of the newest picture as it came, before it was fitted; 0 before the first."""
        self._said: dict[str, int] = {}
        self._died: Exception | None = None
        self._stop = threading.Event()
        self._slot: Mailbox[Frame] = Mailbox()
        self._thread = threading.Thread(target=self._guarded, name=f"source {name}", daemon=True)

    @property
    def dropped(self) -> int:
        """Pictures replaced by a newer one before they were polled."""
        return self._slot.dropped

    def poll(self) -> Frame | None:
        """The newest frame or None. Raises what the thread died of, once its last frame is taken."""
        frame = self._slot.take()
        if frame is None and self._died is not None:
            raise self._died
        return frame

    def close(self) -> None:
        self._stop.set()
        self._slot.close()
        if self._thread.ident is not None:
            # A driver can hang for good; the thread is a daemon, so the process can still end.
            self._thread.join(self.CLOSE_SECONDS)

    @abstractmethod
    def _run(self) -> None:
        """Fetch pictures until `self._stop` is set."""

    def _offer(self, pixels: NDArray[np.uint8], captured_ns: int) -> None:
        """pixels: uint8 `[H, W, 4]` RGBA, not written again by anyone. Raises ValueError for anything else."""
        check_pixels(pixels)
        self._slot.put(Frame(pixels, captured_ns, self.name, self.frames))
        self.frames += 1

    def _fault(self, what: str) -> None:
        """Count what was survived, and say it: the same thing at most once a minute."""
        self.faults += 1
        self.last_fault = what
        now = now_ns()
        recent = {line: said for line, said in self._said.items() if now - said < self.SAY_AGAIN_SECONDS * 1e9}
        if what not in recent:
            recent[what] = now
            log.warning("source %s: %s", self.name, what)
        self._said = recent

    def _guarded(self) -> None:
        try:
            self._run()
        except Exception as error:  # noqa: BLE001 - the last line of the thread: handed to `poll`, and so never lost
            self.faults += 1
            self.last_fault = f"stopped: {error!r}"
            self._died = error
