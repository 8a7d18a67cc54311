"""What the video tests share: a clock moved by hand, clips that count, waiting for frames and conditions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from streamvace.records.frame import Frame
from streamvace.video.core.threaded import ThreadedSource
from tests.patience import PATIENCE_S


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


def until(condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
    """Return once `condition` holds, fail after `seconds`: for changes by another thread that set no event."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this never came true"
        time.sleep(0.005)


def next_frame(source: ThreadedSource, seconds: float = PATIENCE_S) -> Frame:
    """The source's next frame, as soon as there is one."""
    frame = source._slot.wait(seconds)
    assert frame is not None, source.last_fault
    return frame


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


def write_exr(path: Path, light: NDArray[np.float32], pixels: str, depth: str) -> None:
    """An EXR picture of `light`. pixels: FFmpeg's format that `light` comes in; depth: half or float, in the file."""
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream("exr", rate=1, options={"format": depth})
        stream.height, stream.width = light.shape[:2]
        stream.pix_fmt = pixels
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(light), format=pixels)))
        container.mux(stream.encode())


def corner_card(width: int = 8, height: int = 6) -> NDArray[np.uint8]:
    """A test card, RGBA: red, green, blue and yellow corners (top left, top right, bottom left, bottom right), no two
    of the same alpha, on a ground whose alpha rises from row to row."""
    card = np.full((height, width, 4), 90, np.uint8)
    card[..., 3] = np.linspace(0, 255, height, dtype=np.uint8)[:, None]
    half_width, half_height = max(1, width // 3), max(1, height // 3)
    card[:half_height, :half_width] = (255, 0, 0, 255)
    card[:half_height, -half_width:] = (0, 255, 0, 200)
    card[-half_height:, :half_width] = (0, 0, 255, 120)
    card[-half_height:, -half_width:] = (255, 255, 0, 7)
    return card


class Turnstile:
    """Stands in for a thread's pause: the thread stops there until the test lets it go on, one turn at a time."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        """The seconds of every pause, in order."""
        self._arrived = threading.Semaphore(0)
        self._go = threading.Semaphore(0)
        self._open = False

    def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        self._arrived.release()
        if not self._open:
            assert self._go.acquire(timeout=20), "the test does not turn the turnstile"

    def arrive(self) -> None:
        """Wait for the thread to come to its first pause."""
        assert self._arrived.acquire(timeout=20), "the thread never paused"

    def turn(self, times: int = 1) -> None:
        """Let the thread go on, and wait until it comes back."""
        for _ in range(times):
            self._go.release()
            self.arrive()

    def open(self) -> None:
        """Let it run from now on, so that it can end."""
        self._open = True
        self._go.release()
