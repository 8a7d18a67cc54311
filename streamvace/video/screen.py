"""A region of this machine's screen as a source, through mss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from streamvace.system.clock import Clock, ShowClock
from streamvace.system.console import one_line
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command
from streamvace.video.core.rate import ticks
from streamvace.video.core.resize import fit_cover
from streamvace.video.core.threaded import ThreadedSource


@dataclass(frozen=True, slots=True)
class ScreenOptions:
    """Which part, and how often, as in `screen:1?x=100&y=50&width=640&height=360&fps=60`."""

    x: int = 0
    """Pixels from the left edge of the display."""

    y: int = 0
    """Pixels from its top edge."""

    width: int = 0
    """Pixels; 0: to the right edge."""

    height: int = 0
    """Pixels; 0: to the bottom edge."""

    fps: float = 30.0
    """Pictures a second."""

    def __post_init__(self) -> None:
        if not 0.1 <= self.fps <= 240:
            raise ValueError(f"fps is from 0.1 to 240, not {self.fps:g}")


def open_grabber() -> Any:
    """An mss grabber for the calling thread. Raises UserError, one line with the fix."""
    try:
        import mss
    except ImportError as error:
        raise UserError(f"screens need mss ({error}); run: {install_command('screen')}") from error
    try:
        grabber = mss.MSS()
        if len(grabber.monitors) < 2:
            raise UserError("no screen was found; connect one, or use another input")
    except UserError:
        raise
    except Exception as error:  # mss.ScreenShotError, and whatever else X, Windows and macOS raise
        raise UserError(
            f"no screen can be read ({one_line(error)}); on Linux this needs X11, on macOS allow screen recording in "
            "the privacy settings"
        ) from error
    return grabber


def region(monitors: list[dict[str, int]], number: int, options: ScreenOptions) -> dict[str, int]:
    """The part of display `number` (counted from 1) as mss wants it. Raises UserError for a part outside the display.

    monitors: mss's list; its first entry is all displays together.
    """
    if not 1 <= number < len(monitors):
        there = ", ".join(f"screen:{index}" for index in range(1, len(monitors)))
        raise UserError(f"there is no screen {number}; use {there}")
    whole = monitors[number]
    width, height = options.width or whole["width"] - options.x, options.height or whole["height"] - options.y
    right, bottom = options.x + width, options.y + height
    if min(width, height) < 1 or right > whole["width"] or bottom > whole["height"]:
        raise UserError(
            f"a region of {width}x{height} at {options.x},{options.y} is not on screen {number}, "
            f"which has {whole['width']}x{whole['height']}; make it smaller"
        )
    return {"left": whole["left"] + options.x, "top": whole["top"] + options.y, "width": width, "height": height}


class ScreenSource(ThreadedSource):
    """Grabs pictures at a steady rate; a late one is left out, never caught up."""

    def __init__(self, number: int, options: ScreenOptions, size: tuple[int, int], clock: Clock | None = None) -> None:
        """number: of the display, counted from 1; size: (width, height) of the frames offered. Raises UserError."""
        super().__init__(f"screen:{number}")
        self._number = number
        self._options = options
        self._size = size
        self._clock: Clock = clock or ShowClock()
        self._open_on_thread("unlock the screen, or use another input")

    def _run(self) -> None:
        with open_grabber() as grabber:  # belongs to the thread that made it
            part = region(grabber.monitors, self._number, self._options)
            self.sender_size = (part["width"], part["height"])
            self._opened.set()
            for _ in ticks(self._clock, self._options.fps, self._stop):
                captured_ns = self._clock.now()
                shot = np.asarray(grabber.grab(part))  # uint8 [H, W, 4], BGRA
                pixels = np.asarray(cv2.cvtColor(shot, cv2.COLOR_BGRA2RGBA), dtype=np.uint8)
                pixels[..., 3] = 255  # the fourth byte is not alpha
                self._offer(fit_cover(pixels, self._size), captured_ns)
