"""The main thread during a show: the window, reports, status, and every reason to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue

from streamvace.live.output.outputs import Window
from streamvace.system.clock import now_ns
from streamvace.system.console_events import ended_by_windows
from streamvace.telemetry.reporter import Reporter
from streamvace.video.syphon import api as syphon_api

_PUMP_S = 1 / 120
"""Interval between window updates: half a frame of a 60 Hz screen."""

_IDLE_S = 0.05
"""Interval between checks of the reasons to stop, without a window."""

_STATUS_NS = 200_000_000
"""Status goes out five times a second."""


@dataclass
class MainLoop:
    """Runs on the main thread only, which windows and signals require."""

    stop: threading.Event
    reporter: Reporter
    quit_asked: Callable[[], bool]
    publish_status: Callable[[], None]
    window: Window | None
    _status_ns: int = 0

    @property
    def ended(self) -> bool:
        """Whether the show is to end: by a signal, over OSC, or because the window was closed."""
        return self.stop.is_set() or self.quit_asked() or (self.window is not None and self.window.closed)

    def run_until(self, reached: Callable[[], bool]) -> None:
        """Run the loop until `reached()` or until the show is to end."""
        while not (reached() or self.ended):
            if self.window is not None:
                self.window.pump()
            syphon_api.pump()  # its discovery needs the main thread's run loop; does nothing without Syphon
            self.reporter.flush()
            if now_ns() - self._status_ns >= _STATUS_NS:
                self._status_ns = now_ns()
                self.publish_status()
            self.stop.wait(_IDLE_S if self.window is None else _PUMP_S)


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C, a closed terminal, SIGTERM and the end of the session set.

    A second Ctrl-C raises KeyboardInterrupt as usual. A separate thread sets the event: a signal handler can interrupt
    the main thread while it holds the event's lock in `wait`, and setting the event there would deadlock.
    """
    stop = threading.Event()
    received: SimpleQueue[int | None] = SimpleQueue()  # put() is reentrant, unlike that of Queue

    def set_stop() -> None:
        while received.get() is not None:
            stop.set()

    def handle(number: int, frame: object) -> None:
        received.put(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    setter = threading.Thread(target=set_stop, name="stop signals", daemon=True)
    setter.start()
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP; its Ctrl-Break is an event of the console
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        with ended_by_windows(stop.set):
            yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        received.put(None)
        setter.join()
