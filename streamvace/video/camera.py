"""A camera as a source, through OpenCV."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Protocol

import cv2
from numpy.typing import NDArray

from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError
from streamvace.video.core.eight_bit import rgba_of_bgr
from streamvace.video.core.resize import fit_cover
from streamvace.video.core.threaded import ThreadedSource

PROBED = range(4)
"""Numbers that are tried when cameras are looked for."""

_BACKENDS = {"win32": (cv2.CAP_MSMF, cv2.CAP_DSHOW), "darwin": (cv2.CAP_AVFOUNDATION,), "linux": (cv2.CAP_V4L2,)}
"""By system, in the order in which they are tried. Left to itself, OpenCV 5 asks FFmpeg first, which has no cameras; on
Windows FFmpeg says so on stderr, whatever OpenCV's log level is."""


class Capture(Protocol):
    """The part of cv2.VideoCapture that is used."""

    def isOpened(self) -> bool: ...

    def read(self) -> tuple[bool, NDArray[Any] | None]: ...

    def release(self) -> None: ...


def open_camera(index: int) -> Capture:
    """The camera with this number, opened or not; quiet either way."""
    # OpenCV prints every failed attempt; the user gets our one line instead.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    for backend in _BACKENDS[sys.platform]:
        capture: Any = cv2.VideoCapture(index, backend)
        if capture.isOpened():
            break
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # pictures queued in the driver are latency
    camera: Capture = capture
    return camera


def camera_opens(index: int, opener: Callable[[int], Capture] = open_camera) -> bool:
    """Whether the camera with this number can be opened now. Takes up to a second on some systems."""
    capture = opener(index)
    opens = capture.isOpened()
    capture.release()
    return opens


class CameraSource(ThreadedSource):
    """One camera, read as fast as it gives pictures.

    Opening, reading and, after a loss, opening again happen on the thread: some drivers bind a camera to the thread
    that opened it, and each of the three can take seconds.
    """

    OPEN_SECONDS = 20.0
    REOPEN_SECONDS = 1.0

    def __init__(self, index: int, size: tuple[int, int], opener: Callable[[int], Capture] = open_camera) -> None:
        """index: counted from 0; size: (width, height) of the frames offered. Raises UserError if it does not open."""
        super().__init__(f"camera:{index}")
        self.losses = 0
        """How often the camera stopped giving pictures."""
        self._index = index
        self._size = size
        self._opener = opener
        self._open_on_thread("close the program that uses it, or plug it in again")

    def _run(self) -> None:
        capture = self._opener(self._index)
        if not capture.isOpened():
            raise UserError(self._refusal())
        self._opened.set()
        while True:
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
            except ValueError as error:  # a glitch of the driver; the next picture may be good
                self._fault(str(error))
                continue
            self.sender_size = (rgba.shape[1], rgba.shape[0])
            self._offer(fit_cover(rgba, self._size), captured_ns)

    def _reopened(self) -> Capture:
        """Try until the camera is back or the source is closed."""
        while True:
            self._stop.wait(self.REOPEN_SECONDS)
            capture = self._opener(self._index)
            if capture.isOpened() or self._stop.is_set():
                return capture
            capture.release()

    def _refusal(self) -> str:
        others = [other for other in PROBED if other != self._index and camera_opens(other, self._opener)]
        if others:
            found = ", ".join(f"camera:{other}" for other in others)
            return f"Can't open camera {self._index}; use {found}."
        return (
            f"Can't open camera {self._index}; no other camera found. Plug one in, close the program that uses it, "
            "or allow camera access in the system's privacy settings."
        )
