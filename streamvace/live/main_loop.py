"""What the main thread does during a show: the window, the reports, the status, and every reason to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from streamvace.live.output.outputs import Window
from streamvace.system.clock import now_ns
from streamvace.telemetry.reporter import Reporter
from streamvace.video.syphon import api as syphon_api

_PUMP_S = 1 / 120
"""Between two looks at the window: half a frame of a 60 Hz screen."""

_IDLE_S = 0.05
"""Between two looks at the reasons to stop, when there is no window."""

_STATUS_NS = 200_000_000
"""Status goes out five times a second."""


class MainLoop:
    """Runs on the main thread only: windows and signals belong to it."""

    def __init__(
        self,
        stop: threading.Event,
        reporter: Reporter,
        quit_asked: Callable[[], bool],
        publish_status: Callable[[], None],
        window: Window | None,
    ) -> None:
        self._stop = stop
        self._reporter = reporter
        self._quit_asked = quit_asked
        self._publish_status = publish_status
        self._window = window
        self._status_ns = 0

    @property
    def ended(self) -> bool:
        """The show is to end: by a signal, over OSC, or because the window was closed."""
        return self._stop.is_set() or self._quit_asked() or (self._window is not None and self._window.closed)

    def run_until(self, reached: Callable[[], bool]) -> None:
        """Look after everything until this is true or the show is to end."""
        while not (reached() or self.ended):
            if self._window is not None:
                self._window.pump()
            syphon_api.pump()  # its discovery lives on the main thread's run loop; nothing where there is no Syphon
            self._reporter.flush()
            if now_ns() - self._status_ns >= _STATUS_NS:
                self._status_ns = now_ns()
                self._publish_status()
            self._stop.wait(_IDLE_S if self._window is None else _PUMP_S)


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C, a closed terminal and SIGTERM set.

    A second Ctrl-C does what it always does, for the impatient. The event is set by a thread of its own: a signal
    handler runs in the midst of whatever the main thread does, also while that holds the event's lock in `wait`, and to
    ask for it there a second time would be to wait for oneself.
    """
    stop = threading.Event()
    told: SimpleQueue[int | None] = SimpleQueue()  # the one queue whose put() may interrupt itself

    def pass_on() -> None:
        while told.get() is not None:
            stop.set()

    def handle(number: int, frame: object) -> None:
        told.put(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    messenger = threading.Thread(target=pass_on, name="signals", daemon=True)
    messenger.start()
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # the last two exist on POSIX and on Windows, respectively
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        told.put(None)
        messenger.join()
