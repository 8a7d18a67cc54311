"""Pictures of looks: a small JPEG for each cue, of what was on show when it was stored.

They lie in a folder beside the cue file, under random names that the cues carry, so renaming and undoing touch no file.

Threads: the OSC thread asks; the `cue pictures` thread encodes and writes; the web server's thread reads.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import cv2

from streamvace.control import look_pictures
from streamvace.records.frame import Frame
from streamvace.system.console import one_line
from streamvace.system.files import new_file
from streamvace.telemetry.reporter import Reporter

WIDTH = 192
"""Pixels: a tile on a screen with two pixels per point. A picture has about 10 kB."""

QUALITY = 80

_NAME = re.compile(r"[0-9a-f]{16}")


class CuePictures:
    """The pictures beside one cue file."""

    def __init__(self, cue_file: Path, reporter: Reporter) -> None:
        self.folder = cue_file.with_name(f"{cue_file.stem}-pictures")
        self._reporter = reporter
        self._showing: Callable[[], Frame | None] = lambda: None
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="cue pictures")

    def show(self, showing: Callable[[], Frame | None]) -> None:
        """showing: returns the generated picture on show, or None."""
        self._showing = showing

    def take(self, kept: frozenset[str]) -> str:
        """Keep the picture on show; returns its name at once, empty without a picture. Written in the background.

        kept: names that are still in use; all others are deleted, so the folder holds no more than the cues do.
        """
        frame = self._showing()
        if frame is None:
            return ""
        name = secrets.token_hex(8)
        self._writer.submit(self._write, name, frame, kept)
        return name

    def read(self, name: str) -> bytes | None:
        """A JPEG, of the user's cues or of the looks that ship; None for a name that no picture has. name: from
        anywhere."""
        if not _NAME.fullmatch(name):
            return None
        with suppress(OSError):
            return (self.folder / f"{name}.jpg").read_bytes()
        return look_pictures.read(name)

    def close(self) -> None:
        """Wait for the pictures that are being written."""
        self._writer.shutdown()

    def _write(self, name: str, frame: Frame, kept: frozenset[str]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with new_file(self.folder / f"{name}.jpg") as file:
                file.write(_jpeg(frame))
            for path in self.folder.glob("*.jpg"):
                if _NAME.fullmatch(path.stem) and path.stem not in {*kept, name}:
                    path.unlink()
        except Exception as error:  # noqa: BLE001 - a full disk or an encoder costs the picture, never the cue
            self._reporter.report("cue pictures", one_line(error))


def _jpeg(frame: Frame) -> bytes:
    height, width = frame.pixels.shape[:2]
    size = WIDTH, max(1, round(height * WIDTH / width))
    small = cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGBA2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return jpeg.tobytes()
