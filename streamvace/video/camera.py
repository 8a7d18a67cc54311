"""A camera as a source, through OpenCV."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

import cv2
from numpy.typing import NDArray

from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError
from streamvace.video.core.eight_bit import rgba_of_bgr
from streamvace.video.core.resize import fit_cover
from streamvace.video.core.threaded import ThreadedSource


class Capture(Protocol):
    """The part of cv2.VideoCapture that is used."""

    def isOpened(self) -> bool: ...

    def read(self) -> tuple[bool, NDArray[Any] | None]: ...

    def release(self) -> None: ...


def open_camera(index: int) -> Capture:
    """The camera with this number, opened or not; quiet either way."""
    # OpenCV prints every failed attempt; the one line that the user needs comes from us.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    capture: Any = cv2.VideoCapture(index)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # an older picture waiting in the driver is latency
    camera: Capture = capture
    return camera


class CameraSource(ThreadedSource):
    """One camera, read as fast as it gives pictures; the newest wins.

    Opening, reading and, after a loss, opening again all happen on the source's own thread, because some drivers bind
    a camera to the thread that opened it and because each of the three can take seconds.
    """

    OPEN_SECONDS = 20.0
    REOPEN_SECONDS = 1.0
    PROBED = range(4)

    def __init__(self, index: int, size: tuple[int, int], opener: Callable[[int], Capture] = open_camera) -> None:
        """index: counted from 0; size: (width, height) of the frames given. Raises UserError when it gives nothing."""
        super().__init__(f"camera:{index}")
        self.losses = 0
        """How often the camera stopped giving pictures."""
        self._index = index
        self._size = size
        self._open = opener
        self._tried = threading.Event()
        self._others: list[int] | None = None
        self._thread.start()
        answered = self._tried.wait(self.OPEN_SECONDS)
        if not answered or self._others is not None:
            self.close()
            raise UserError(self._refusal(answered))

    def _run(self) -> None:
        capture = self._open(self._index)
        opened = capture.isOpened()
        if not opened:
            self._others = [other for other in self.PROBED if other != self._index and self._answers(other)]
        self._tried.set()
        while opened:
            self._read_until_lost(capture)
            capture.release()
            if self._stop.is_set():
                return
            self.losses += 1
            self._fault("lost; opening it again")
            capture = self._reopened()

    def _read_until_lost(self, capture: Capture) -> None:
        while not self._stop.is_set():
            ok, bgr = capture.read()
            if not ok or bgr is None:
                return
            captured_ns = now_ns()
            try:
                rgba = rgba_of_bgr(bgr)
            except ValueError as error:  # a driver's hiccup; the next picture may be one
                self._fault(str(error))
                continue
            self.sender_size = (rgba.shape[1], rgba.shape[0])
            self._offer(fit_cover(rgba, self._size), captured_ns)

    def _reopened(self) -> Capture:
        """Try until the camera is back or the source is closed."""
        while True:
            self._stop.wait(self.REOPEN_SECONDS)
            capture = self._open(self._index)
            if capture.isOpened() or self._stop.is_set():
                return capture
            capture.release()

    def _answers(self, index: int) -> bool:
        capture = self._open(index)
        answers = capture.isOpened()
        capture.release()
        return answers

    def _refusal(self, answered: bool) -> str:
        if not answered:
            return (
                f"camera {self._index} did not answer within {self.OPEN_SECONDS:.0f} s; "
                "close the program that uses it, or plug it in again"
            )
        found = ", ".join(f"camera:{other}" for other in self._others or [])
        if found:
            return f"camera {self._index} cannot be opened; there is {found}; use that"
        return (
            f"camera {self._index} cannot be opened and there is no other; plug one in, close the program "
            "that uses it, or allow camera access in the system's privacy settings"
        )
