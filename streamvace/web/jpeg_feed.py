"""The newest frame as JPEG: encoded once for all who watch, and not at all when nobody does."""

from __future__ import annotations

import asyncio
import threading

import cv2

from streamvace.records.frame import Frame


class JpegFeed:
    """Between the presenter's thread, which publishes, and the server's event loop, which asks.

    A frame is encoded when somebody waits for it, in a worker thread of the loop, and everyone who waits shares the
    result. Frames that nobody waited for are never encoded.
    """

    def __init__(self, name: str, quality: int = 80) -> None:
        """name: as a sink is called. quality: JPEG quality, 1 to 100."""
        self.name = name
        self.watchers = 0
        """Browsers that watch now; kept by the server."""
        self.encoded = 0
        """Frames encoded so far."""
        self._quality = quality
        self._lock = threading.Lock()
        self._newest: Frame | None = None
        self._number = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Future[None]] = set()
        self._jpeg: tuple[int, bytes] = (0, b"")
        self._encoding = asyncio.Lock()

    def publish(self, frame: Frame) -> None:
        """Keep the frame. From any thread; costs a lock."""
        with self._lock:
            self._newest = frame
            self._number += 1
            loop = self._loop if self._waiting else None
        if loop is not None:
            try:
                loop.call_soon_threadsafe(self._wake)
            except RuntimeError:  # the loop was closed in between: nobody waits any more
                return

    async def after(self, number: int) -> tuple[int, bytes]:
        """(number, JPEG) of the newest frame, as soon as it is newer than `number`; 0 takes any. On the loop only.

        A caller that was busy meanwhile gets the newest frame and has skipped the ones between.
        """
        while True:
            with self._lock:
                frame, newest = self._newest, self._number
                if frame is None or newest <= number:
                    self._loop = asyncio.get_running_loop()
                    arrival: asyncio.Future[None] = self._loop.create_future()
                    self._waiting.add(arrival)
                else:
                    break
            try:
                await arrival
            finally:
                with self._lock:
                    self._waiting.discard(arrival)
        async with self._encoding:
            # Whoever had to wait for the lock may find the work done.
            if self._jpeg[0] < newest:
                self._jpeg = (newest, await asyncio.to_thread(self._encode, frame))
            return self._jpeg

    def close(self) -> None:
        """A feed holds nothing open."""

    def newest(self) -> Frame | None:
        with self._lock:
            return self._newest

    def _wake(self) -> None:
        with self._lock:
            for arrival in self._waiting:
                if not arrival.done():
                    arrival.set_result(None)

    def _encode(self, frame: Frame) -> bytes:
        bgr = cv2.cvtColor(frame.pixels, cv2.COLOR_RGBA2BGR)
        _, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        self.encoded += 1
        return jpeg.tobytes()
