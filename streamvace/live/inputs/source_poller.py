"""Fills a ring from one source.

Threads: one thread of its own, which opens, polls, re-opens and closes the source; nobody else touches it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from streamvace.live.inputs.frame_ring import FrameRing
from streamvace.records.frame import Source
from streamvace.system.clock import Clock, ShowClock
from streamvace.system.errors import UserError
from streamvace.telemetry.reporter import Reporter, one_line
from streamvace.telemetry.telemetry import Stats

_POLL_S = 0.004
"""A quarter of a 60 Hz frame: adds at most that much latency, costs next to nothing."""

_REOPEN_FIRST_S, _REOPEN_LAST_S = 0.25, 0.5
"""A source that fails is opened again after a moment, and then as often as a chunk is made, about: one that comes back
steers the second chunk from then at the latest."""


class SourcePoller:
    """Polls a source until stopped. One that raises is counted, closed and opened again; the ring keeps its frames.

    A complaint is one line: as long as nothing but the same comes back, it is counted and not said again.
    """

    def __init__(
        self,
        opener: Callable[[], Source],
        ring: FrameRing,
        reporter: Reporter,
        name: str = "",
        clock: Clock | None = None,
    ) -> None:
        """name: what complaints call the source before it is open. clock: the show's."""
        self._clock = clock or ShowClock()
        self._opener = opener
        self._ring = ring
        self._reporter = reporter
        self._stop = threading.Event()
        self._opened = threading.Event()
        self._failure: BaseException | None = None
        self._faults = 0
        self._reopened = 0
        self._name = name
        self._said = ""
        self._thread = threading.Thread(target=self._run_opened, name="source", daemon=True)

    def start(self) -> None:
        """Open the source on its thread and begin to poll. Raises what the first opening raised."""
        self._thread.start()
        self._opened.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure

    def start_patiently(self) -> None:
        """Open the source on its thread, now or as soon as it can be opened. Returns at once."""
        self._thread = threading.Thread(target=self._run_patiently, name="source", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Stop polling and close the source. Idempotent; a driver that hangs is left behind after the time-out."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    @property
    def running(self) -> bool:
        """Whether the source is polled, or still being closed."""
        return self._thread.is_alive()

    def stats(self) -> Stats:
        """What came in, what was lost, what went wrong."""
        counters = self._ring.counters()
        return {
            "source": self._name,
            "source_frames": counters.received,
            "source_overwritten": counters.overwritten,
            "source_faults": self._faults,
            "source_reopened": self._reopened,
        }

    def _run_opened(self) -> None:
        try:
            source = self._opener()
        except Exception as error:  # noqa: BLE001 - handed to `start`, on the thread that can tell the user
            self._failure = error
            return
        finally:
            self._opened.set()
        self._run(source)

    def _run_patiently(self) -> None:
        source = self._open_until_it_works(0.0)
        if source is not None:
            self._run(source)

    def _run(self, source: Source) -> None:
        self._name = source.name
        pause_s = _REOPEN_FIRST_S
        while not self._stop.is_set():
            frames = self._poll(source)
            if self._stop.is_set():
                break
            pause_s = _REOPEN_FIRST_S if frames else min(pause_s * 2, _REOPEN_LAST_S)
            reopened = self._open_until_it_works(pause_s)
            if reopened is None:
                return
            self._reopened += 1
            source = reopened
        self._close(source)

    def _poll(self, source: Source) -> int:
        """Poll until stopped or until the source raises; returns how many frames it gave."""
        frames = 0
        try:
            while not self._stopped_after(_POLL_S):
                frame = source.poll()
                if frame is not None:
                    self._ring.push(frame)
                    frames += 1
                    self._said = ""
        except Exception as error:  # noqa: BLE001 - drivers raise anything; counted, reported, and the source re-opened
            self._fault(error)
            self._close(source)
        return frames

    def _open_until_it_works(self, pause_s: float) -> Source | None:
        """The opened source, tried first after `pause_s`; None when stopped meanwhile."""
        while not self._stopped_after(pause_s):
            try:
                return self._opener()
            except Exception as error:  # noqa: BLE001 - the device may come back; counted and reported
                self._fault(error)
                pause_s = min(max(pause_s * 2, _REOPEN_FIRST_S), _REOPEN_LAST_S)
        return None

    def _stopped_after(self, seconds: float) -> bool:
        self._clock.wait_until(self._clock.now() + round(seconds * 1e9), self._stop)
        return self._stop.is_set()

    def _close(self, source: Source) -> None:
        try:
            source.close()
        except Exception as error:  # noqa: BLE001 - there is nothing left to save; counted and reported
            self._fault(error)

    def _fault(self, error: Exception) -> None:
        self._faults += 1
        line = str(error) if isinstance(error, UserError) else one_line(error)
        if line != self._said:
            self._said = line
            self._reporter.report(f"input {self._name}", line)
