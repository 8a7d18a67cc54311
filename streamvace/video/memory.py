"""Sources and sinks without a device."""

from __future__ import annotations

import threading
from collections import deque

from streamvace.records.frame import Frame


class NullSource:
    """No control picture at all."""

    name = "none"

    def poll(self) -> Frame | None:
        return None

    def close(self) -> None:
        pass


class NullSink:
    """Counts frames and drops them: for benchmarks and for machines without a screen."""

    def __init__(self) -> None:
        self.name = "null"
        self.published = 0

    def publish(self, frame: Frame) -> None:
        self.published += 1

    def close(self) -> None:
        pass


class MemorySink:
    """Keeps the last `keep` frames, and lets another thread wait for a number of them."""

    def __init__(self, keep: int = 64, name: str = "memory") -> None:
        self.name = name
        self.published = 0
        self._frames: deque[Frame] = deque(maxlen=keep)
        self._changed = threading.Condition()

    @property
    def frames(self) -> list[Frame]:
        """The kept frames, oldest first."""
        with self._changed:
            return list(self._frames)

    def publish(self, frame: Frame) -> None:
        with self._changed:
            self._frames.append(frame)
            self.published += 1
            self._changed.notify_all()

    def wait_for(self, count: int, timeout: float) -> bool:
        """True as soon as `count` frames were published in all; False after `timeout` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: self.published >= count, timeout)

    def close(self) -> None:
        pass
