"""Sources and sinks without a device: nothing, and memory."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np
from numpy.typing import NDArray

from streamvace.records.frame import Frame, check_pixels
from streamvace.system.clock import now_ns
from streamvace.video.core.mailbox import Mailbox


class NullSource:
    """No control picture at all."""

    def __init__(self, name: str = "none") -> None:
        self.name = name

    def poll(self) -> Frame | None:
        return None

    def close(self) -> None:
        pass


class NullSink:
    """Takes every frame and keeps none: for benchmarks and for machines without a screen."""

    def __init__(self, name: str = "null") -> None:
        self.name = name
        self.published = 0

    def publish(self, frame: Frame) -> None:
        self.published += 1

    def close(self) -> None:
        pass


class MemorySource:
    """Gives the frames that its owner pushes; the newest wins."""

    def __init__(self, name: str = "memory") -> None:
        self.name = name
        self._slot: Mailbox[Frame] = Mailbox()
        self._sequence = 0

    @property
    def dropped(self) -> int:
        """Frames replaced before they were polled."""
        return self._slot.dropped

    def push(self, pixels: NDArray[np.uint8], captured_ns: int | None = None) -> Frame:
        """Offer one picture, uint8 `[H, W, 4]`, captured now unless told otherwise. From any thread.

        Raises ValueError for any other picture.
        """
        check_pixels(pixels)
        frame = Frame(pixels, now_ns() if captured_ns is None else captured_ns, self.name, self._sequence)
        self._sequence += 1
        self._slot.put(frame)
        return frame

    def poll(self) -> Frame | None:
        return self._slot.take()

    def close(self) -> None:
        self._slot.close()


class MemorySink:
    """Keeps the last `keep` frames, and lets another thread wait until so many were published."""

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
