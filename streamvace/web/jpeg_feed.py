"""The newest frame as JPEG: encoded once for all viewers, and only if there are any."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import NamedTuple

import cv2

from streamvace.records.frame import Frame


class Count(NamedTuple):
    """How many frames there have been, and how many of them showed another picture than the one before."""

    frames: int = 0
    pictures: int = 0

    def is_before(self, other: Count) -> bool:
        """Whether there have been further frames by then."""
        return other.frames > self.frames


Wants = Callable[[Count], bool]
"""Whether a viewer takes the newest frame, given the count at which it stands. Any thread; must be cheap."""


class JpegFeed:
    """Passes frames from the presenter's thread to the server's event loop.

    A frame is encoded if somebody takes it, and all who do share the result. Frames that hold the same picture share it
    too. The loop is woken only for a frame that somebody takes: a wake-up costs as much as half a small picture. The
    loop also encodes, which takes 0.2 ms at 256x256 and 4 ms at 1280x720, as much as a switch to another thread and
    back.
    """

    def __init__(self, name: str, quality: int = 80) -> None:
        """name: the sink's name. quality: JPEG quality, 1..100."""
        self.name = name
        self.encoded = 0
        """Pictures encoded so far."""
        self.skipped = 0
        """Pictures that pages left out because they had not drawn those before; counted by their senders."""
        self._quality = quality
        self._lock = threading.Lock()
        self._newest: Frame | None = None
        self._count = Count()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[asyncio.Future[None], Wants] = {}
        self._jpeg: tuple[int, bytes] = (0, b"")

    @property
    def count(self) -> Count:
        """Of all frames so far. Any thread."""
        return self._count

    @property
    def wanted(self) -> bool:
        """Whether a viewer takes the next picture. Any thread. One that is still busy with the last ones does not."""
        with self._lock:
            return self._taken(Count(self._count.frames + 1, self._count.pictures + 1))

    def publish(self, frame: Frame) -> None:
        """Keep the frame. Any thread; takes one lock."""
        with self._lock:
            # A held picture is the same object; the published ones are never written to again.
            new = self._newest is None or frame.pixels is not self._newest.pixels
            self._newest = frame
            self._count = Count(self._count.frames + 1, self._count.pictures + new)
            loop = self._loop if self._taken(self._count) else None
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self.look)
            except RuntimeError:  # the loop was closed meanwhile
                return

    async def after(self, wants: Wants) -> tuple[Count, bytes]:
        """Wait for a frame that is wanted; returns (its count, its JPEG). On the loop only.

        A slow caller gets the newest frame and not those in between. The same picture has the same object as its JPEG.
        """
        while True:
            with self._lock:
                frame, count = self._newest, self._count
                if frame is None or not wants(count):
                    self._loop = asyncio.get_running_loop()
                    arrival: asyncio.Future[None] = self._loop.create_future()
                    self._waiting[arrival] = wants
                else:
                    break
            try:
                await arrival
            finally:
                with self._lock:
                    self._waiting.pop(arrival, None)
        if self._jpeg[0] != count.pictures:  # another viewer may have had it encoded
            self._jpeg = count.pictures, self._encode(frame)
        return count, self._jpeg[1]

    def look(self) -> None:
        """Give the newest frame to those who want it now. On the loop only."""
        with self._lock:
            for arrival, wants in self._waiting.items():
                if not arrival.done() and wants(self._count):
                    arrival.set_result(None)

    def close(self) -> None:
        """Nothing to close: this is a sink without resources."""

    def newest(self) -> Frame | None:
        """The newest frame; None before the first."""
        with self._lock:
            return self._newest

    def _taken(self, count: Count) -> bool:
        """Whether anybody takes a frame with this count. Under the lock."""
        return any(wants(count) for wants in self._waiting.values())

    def _encode(self, frame: Frame) -> bytes:
        bgr = cv2.cvtColor(frame.pixels, cv2.COLOR_RGBA2BGR)
        _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        self.encoded += 1
        return jpeg.tobytes()
