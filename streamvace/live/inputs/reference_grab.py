"""References grabbed from the show itself: one picture of the output or of the input, kept as a file.

It becomes a file of the media folder and then an ordinary reference, so that it is listed, stored in cues and there
again tomorrow. Compressing and writing happen on a thread of their own.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from osc_schema import Value
from streamvace.control.parameters import Result
from streamvace.records.frame import Frame
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Stats

GRAB = "/streamvace/reference/grab"
ADD = "/streamvace/reference/add"

FOLDER = "grabs"
"""Folder of the media folder that grabbed pictures go to."""


class Grabber:
    """Takes the picture of the moment when it is asked, writes it, and adds it to the references."""

    QUEUED = 4
    """Pictures that may wait to be written; a disk that takes longer than that is told to the performer."""

    CLOSE_S = 2.0

    def __init__(self, media: MediaFolder, reporter: Reporter, clock: Callable[[], time.struct_time] = time.localtime):
        self._media = media
        self._reporter = reporter
        self._clock = clock
        self._pictures: Mapping[str, Callable[[], Frame | None]] = {}
        self._add: Callable[[str, tuple[object, ...], str], Result] | None = None
        self._queue: queue.Queue[tuple[str, Frame] | None] = queue.Queue(self.QUEUED)
        self._written = 0
        self._faults = 0
        self._thread = threading.Thread(target=self._run, name="grabs", daemon=True)

    def start(
        self,
        pictures: Mapping[str, Callable[[], Frame | None]],
        add: Callable[[str, tuple[object, ...], str], Result],
    ) -> None:
        """pictures: by the trigger's argument, the newest picture; must not wait. add: `Parameters.set`."""
        self._pictures = pictures
        self._add = add
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end. Idempotent; a disk that hangs is left behind."""
        if self._thread.is_alive():
            try:
                self._queue.put(None, timeout=self.CLOSE_S)
            except queue.Full:
                return
            self._thread.join(self.CLOSE_S)

    def ask(self, values: Mapping[str, Value], argument: Value) -> Mapping[str, Value]:
        """What the trigger does (see `parameters.Edit`): sets nothing now, adds a reference soon.

        Raises UserError while there is no picture yet, or too many wait to be written.
        """
        newest = self._pictures.get(str(argument))
        frame = None if newest is None else newest()
        if frame is None:
            raise UserError(f"there is no {argument} picture yet")
        try:
            self._queue.put_nowait((str(argument), frame))
        except queue.Full:
            raise UserError(f"{self.QUEUED} pictures wait to be written; the disk is slow") from None
        return {}

    def stats(self) -> Stats:
        """Figures for telemetry."""
        return {"grabs": self._written, "grab_faults": self._faults}

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            kind, frame = item
            try:
                name = self._write(kind, frame.pixels)
            except (UserError, OSError, cv2.error) as error:
                self._faults += 1
                self._reporter.report("grab", str(error))
                continue
            self._written += 1
            assert self._add is not None
            result = self._add(ADD, (name,), "grab")
            if result.line:
                self._reporter.report("grab", f"{name} is written, but {result.line}")

    def _write(self, kind: str, pixels: NDArray[np.uint8]) -> str:
        """The name, in the media folder, of the PNG that holds uint8 `[H, W, 4]`; whole from the first moment on."""
        moment = time.strftime("%Y%m%d-%H%M%S", self._clock())
        name, path = "", Path()
        for number in range(100):
            name = f"{FOLDER}/{kind}-{moment}-{number:02d}.png"
            path = self._media.place(name)
            if not path.exists():
                break
        _, png = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA))
        part = path.with_suffix(".part")
        part.write_bytes(png.tobytes())
        os.replace(part, path)
        return name
