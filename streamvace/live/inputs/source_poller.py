"""Fills a ring from one source.

Threads: the `source` thread opens, polls, reopens and closes the source; no other thread touches it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from streamvace.live.inputs.frame_ring import FrameRing
from streamvace.records.frame import Frame, Source
from streamvace.system.clock import Clock, ShowClock
from streamvace.system.console import one_line
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Stats

_POLL_S = 0.004
"""A quarter of a 60 Hz frame: the most latency that polling adds, at almost no cost."""

_REOPEN_FIRST_S, _REOPEN_LAST_S = 0.25, 0.5
"""The first and the longest pause before a failed source is reopened. About the time of a chunk: a source that returns
steers the second chunk after that at the latest."""


class SourcePoller:
    """Polls a source until stopped. A fault is counted, and the source is reopened; the ring keeps its frames.

    A fault is reported in one line. The same fault is not reported again until frames arrive.
    """

    def __init__(
        self,
        opener: Callable[[], Source],
        ring: FrameRing,
        reporter: Reporter,
        name: str = "",
        clock: Clock | None = None,
    ) -> None:
        """name: used in reports until the source is open. clock: the show's."""
        self._clock = clock or ShowClock()
        self._opener = opener
        self._ring = ring
        self._reporter = reporter
        self._stop = threading.Event()
        self._opened: Future[None] = Future()
        self._faults = 0
        self._source: Source | None = None
        self._reopened = 0
        self._name = name
        self._size = ""
        self._reported = ""
        self._thread = threading.Thread(target=self._run_opened, name="source", daemon=True)

    def start(self) -> None:
        """Open the source on its thread and begin to poll. Raises the opener's error."""
        self._thread.start()
        self._opened.result()

    def start_patiently(self) -> None:
        """Return at once, and open the source on its thread, now or as soon as possible."""
        self._thread = threading.Thread(target=self._run_patiently, name="source", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Stop polling and close the source. Idempotent; a driver that hangs is abandoned after the timeout."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    @property
    def running(self) -> bool:
        """Whether the source is being polled or closed."""
        return self._thread.is_alive()

    @property
    def fault(self) -> str:
        """What is wrong with the source now, in one line; empty while it gives frames, and before it was opened."""
        return self._reported

    def stats(self) -> Stats:
        """Figures for telemetry."""
        counters = self._ring.counters()
        return {
            "source": self._name,
            "input_size": self._size,
            "source_frames": counters.received,
            "source_overwritten": counters.overwritten,
            "source_faults": self._faults + _survived(self._source),
            "source_reopened": self._reopened,
        }

    def _run_opened(self) -> None:
        try:
            source = self._opener()
        except Exception as error:  # noqa: BLE001 - raised by `start`, on the thread that can report it to the user
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        self._run(source)

    def _run_patiently(self) -> None:
        source = self._open_until_it_works(0.0)
        if source is not None:
            self._run(source)

    def _run(self, source: Source) -> None:
        self._name = source.name
        pause_s = _REOPEN_FIRST_S
        while not self._stop.is_set():
            self._source = source
            frames = self._poll(source)
            if self._stop.is_set():
                break
            self._source, self._faults = None, self._faults + _survived(source)
            pause_s = _REOPEN_FIRST_S if frames else min(pause_s * 2, _REOPEN_LAST_S)
            reopened = self._open_until_it_works(pause_s)
            if reopened is None:
                return
            self._reopened += 1
            source = reopened
        self._close(source)

    def _poll(self, source: Source) -> int:
        """Poll until stopped or until the source raises; returns the number of frames."""
        frames = 0
        try:
            while not self._stopped_after(_POLL_S):
                frame = source.poll()
                if frame is not None:
                    self._ring.push(frame)
                    self._size = _sent_size(source, frame)
                    frames += 1
                    self._reported = ""
        except Exception as error:  # noqa: BLE001 - drivers raise anything; counted and reported, and the source is reopened
            self._fault(error)
            self._close(source)
        return frames

    def _open_until_it_works(self, pause_s: float) -> Source | None:
        """Open the source, first after `pause_s`, until it works. None when stopped."""
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
        except Exception as error:  # noqa: BLE001 - nothing is left to save; counted and reported
            self._fault(error)

    def _fault(self, error: Exception) -> None:
        self._faults += 1
        line = one_line(error)
        if line != self._reported:
            self._reported = line
            self._reporter.report(f"input {self._name}", line)


def _survived(source: Source | None) -> int:
    """The faults after which the source went on by itself: a film that breaks off and begins again."""
    return getattr(source, "faults", 0)


def _sent_size(source: Source, frame: Frame) -> str:
    """`WIDTHxHEIGHT` of the picture before it was fitted to the show."""
    height, width = frame.pixels.shape[:2]
    sent: tuple[int, int] = getattr(source, "sender_size", (width, height))
    return f"{sent[0]}x{sent[1]}"
