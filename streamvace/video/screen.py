"""A region of this machine's screen as a source, through mss."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from streamvace.system.clock import Clock, ShowClock
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install
from streamvace.video.core.resize import fit_cover
from streamvace.video.core.threaded import ThreadedSource


@dataclass(frozen=True, slots=True)
class ScreenOptions:
    """Which part, and how often. Named in the address: `screen:1?x=100&y=50&width=640&height=360&fps=60`."""

    x: int = 0
    """Pixels from the left edge of the display."""

    y: int = 0
    """Pixels from its top edge."""

    width: int = 0
    """Pixels; 0 goes to the right edge."""

    height: int = 0
    """Pixels; 0 goes to the bottom edge."""

    fps: float = 30.0
    """Pictures a second."""

    def __post_init__(self) -> None:
        if not 0.1 <= self.fps <= 240:
            raise ValueError(f"fps is from 0.1 to 240, not {self.fps:g}")


def open_grabber() -> Any:
    """What takes pictures of the screen, for the thread that calls. Raises UserError, one line with the mend."""
    try:
        import mss
    except ImportError as error:
        raise UserError(f"screens need mss ({error}); run: {install('screen')}") from error
    try:
        grabber = mss.MSS()
        if len(grabber.monitors) < 2:
            raise UserError("there is no screen to take pictures of")
    except UserError:
        raise
    except Exception as error:  # mss.ScreenShotError, and what X, Windows and macOS raise besides
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"no screen can be read ({reason}); on Linux this needs X11, on macOS a permission") from error
    return grabber


def region(monitors: list[dict[str, int]], number: int, options: ScreenOptions) -> dict[str, int]:
    """The part of display `number` (counted from 1) as mss wants it. Raises UserError for what is not on the screen.

    monitors: mss's list; its first entry is all displays together.
    """
    if not 1 <= number < len(monitors):
        there = ", ".join(f"screen:{index}" for index in range(1, len(monitors)))
        raise UserError(f"there is no screen {number}; there is {there}")
    whole = monitors[number]
    width, height = options.width or whole["width"] - options.x, options.height or whole["height"] - options.y
    right, bottom = options.x + width, options.y + height
    if min(width, height) < 1 or right > whole["width"] or bottom > whole["height"]:
        raise UserError(
            f"a region of {width}x{height} from {options.x},{options.y} is not on screen {number}, "
            f"which is {whole['width']}x{whole['height']}"
        )
    return {"left": whole["left"] + options.x, "top": whole["top"] + options.y, "width": width, "height": height}


class ScreenSource(ThreadedSource):
    """Takes pictures at a steady rate; one that comes too late is left out, never made up for."""

    OPEN_SECONDS = 10.0

    def __init__(self, number: int, options: ScreenOptions, size: tuple[int, int], clock: Clock | None = None) -> None:
        """number: of the display, counted from 1; size: (width, height) of the frames given. Raises UserError."""
        super().__init__(f"screen:{number}")
        self._number = number
        self._options = options
        self._size = size
        self._clock: Clock = clock or ShowClock()
        self._tried = threading.Event()
        self._refusal: UserError | None = None
        self._thread.start()
        if not self._tried.wait(self.OPEN_SECONDS):
            self._refusal = UserError(f"screen {number} did not answer within {self.OPEN_SECONDS:.0f} s")
        if self._refusal is not None:
            self.close()
            raise self._refusal

    def _run(self) -> None:
        try:
            grabber = open_grabber()  # belongs to the thread that made it
            part = region(grabber.monitors, self._number, self._options)
        except UserError as refusal:
            self._refusal = refusal
            return
        finally:
            self._tried.set()
        self.sender_size = (part["width"], part["height"])
        period_ns = round(1e9 / self._options.fps)
        with grabber:
            due_ns = self._clock.now()
            while not self._stop.is_set():
                captured_ns = self._clock.now()
                shot = np.asarray(grabber.grab(part))  # uint8 [H, W, 4], BGRA
                pixels = np.asarray(cv2.cvtColor(shot, cv2.COLOR_BGRA2RGBA), dtype=np.uint8)
                pixels[..., 3] = 255  # what lies there is not alpha
                self._offer(fit_cover(pixels, self._size), captured_ns)
                due_ns = max(due_ns + period_ns, captured_ns)
                self._clock.wait_until(due_ns, self._stop)
