"""What the video tests share: a clock moved by hand, clips that count, patience."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray


class HandClock:
    """A clock that stands still until the test moves it."""

    def __init__(self) -> None:
        self._now = 0
        self._moved = threading.Condition()

    def now(self) -> int:
        return self._now

    def wait_until(self, when_ns: int, stop: threading.Event) -> None:
        with self._moved:
            # Polls only for `stop`, which is set by a thread that knows nothing of this clock.
            while self._now < when_ns and not stop.is_set():
                self._moved.wait(0.02)

    def move_to(self, seconds: float) -> None:
        with self._moved:
            self._now = round(seconds * 1e9)
            self._moved.notify_all()


def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
    """Return once `condition` holds, fail after `seconds`: for what another thread does and no event tells."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this never came true"
        time.sleep(0.005)


def shade(index: int) -> int:
    """The grey of frame `index` in a counting clip: far enough apart to survive any codec."""
    return 20 + 20 * index


def shade_index(pixels: NDArray[np.uint8]) -> int:
    """Which frame of a counting clip this is."""
    return round((float(pixels[..., :3].mean()) - 20) / 20)


def write_clip(path: Path, count: int, rate: int = 10, size: tuple[int, int] = (64, 48)) -> Path:
    """A clip whose frames count themselves by their grey, `shade(0)`, `shade(1)`, ..., written with plain PyAV."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = size[0], size[1], "yuv420p"
        for index in range(count):
            grey = np.full((size[1], size[0], 3), shade(index), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(grey)))
        container.mux(stream.encode())
    return path
