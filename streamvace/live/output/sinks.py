"""The sinks of a thread. A sink that fails is counted and reported; the others are not affected.

Threads: one thread opens, publishes and closes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from streamvace.records.frame import Frame, Paced, Sink
from streamvace.system.console import one_line
from streamvace.telemetry.reporter import Reporter

SinkOpener = Callable[[], Sink]


class Sinks:
    """Opens all or none, publishes to all, closes all."""

    def __init__(self, openers: Sequence[SinkOpener], reporter: Reporter) -> None:
        self._openers = tuple(openers)
        self._reporter = reporter
        self._sinks: list[Sink] = []
        self.names: tuple[str, ...] = ()
        """Names of the open sinks; replaced whole, so any thread may read it."""
        self.faults = 0

    def open(self) -> None:
        """Open every sink. If one cannot be opened, close the others and raise its error."""
        try:
            for opener in self._openers:
                self._sinks.append(opener())
        except BaseException:
            self.close()
            raise
        self.names = tuple(sink.name for sink in self._sinks)

    def publish(self, frame: Frame) -> None:
        """Publish the frame to every sink. Never raises."""
        for sink in self._sinks:
            try:
                sink.publish(frame)
            except Exception as error:  # noqa: BLE001 - one sink's fault must not stop the others; counted and reported
                self._fault(sink, error)

    def set_rate(self, rate: float) -> None:
        """Set the frame rate of the sinks that depend on it. Never raises."""
        for sink in self._sinks:
            if not isinstance(sink, Paced):
                continue
            try:
                sink.set_rate(rate)
            except Exception as error:  # noqa: BLE001 - one sink's fault must not stop the others; counted and reported
                self._fault(sink, error)

    def close(self) -> None:
        """Close every sink, last opened first. Never raises. Idempotent."""
        self.names = ()
        while self._sinks:
            sink = self._sinks.pop()
            try:
                sink.close()
            except Exception as error:  # noqa: BLE001 - the others still have files to finish; counted and reported
                self._fault(sink, error)

    def _fault(self, sink: Sink, error: Exception) -> None:
        self.faults += 1
        self._reporter.report(f"output {sink.name}", one_line(error))
