"""Grab a picture of the output or the input during the show, and use it as a reference.

It becomes a file of the media folder and then an ordinary reference, so it is listed, stored in cues and kept for the
next show. The `grabs` thread compresses and writes it.
"""

from __future__ import annotations

import itertools
import os
import queue
import threading
import time
from collections.abc import Callable, Mapping

import cv2

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
"""Folder for grabbed pictures, inside the media folder."""


class Grabber:
    """Takes the newest picture on request, writes it, and adds it to the references."""

    QUEUED = 4
    """Pictures that may wait to be written. Further requests are refused: the disk is too slow."""

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
        """pictures: getters of the newest picture, by the trigger's argument; must not wait. add: `Parameters.set`."""
        self._pictures = pictures
        self._add = add
        self._thread.start()

    def stop(self) -> None:
        """Write the queued pictures and end the thread. Idempotent; a disk that hangs is abandoned after a timeout."""
        if self._thread.is_alive():
            try:
                self._queue.put(None, timeout=self.CLOSE_S)
            except queue.Full:
                return
            self._thread.join(self.CLOSE_S)

    def ask(self, values: Mapping[str, Value], argument: Value) -> Mapping[str, Value]:
        """The trigger's `parameters.Edit`: sets nothing now and adds a reference soon.

        Raises UserError if there is no picture yet or the queue is full.
        """
        newest = self._pictures.get(str(argument))
        frame = None if newest is None else newest()
        if frame is None:
            raise UserError(f"there is no {argument} picture yet")
        try:
            self._queue.put_nowait((str(argument), frame))
        except queue.Full:
            raise UserError(f"{self.QUEUED} pictures are waiting to be written; the disk is slow") from None
        return {}

    def stats(self) -> Stats:
        """Figures for telemetry."""
        return {"grabs": self._written, "grab_faults": self._faults}

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                name = self._write(*item)
            except (UserError, OSError, cv2.error) as error:
                self._faults += 1
                self._reporter.report("grab", str(error))
                continue
            self._written += 1
            assert self._add is not None
            result = self._add(ADD, (name,), "grab")
            if result.line:
                self._reporter.report("grab", f"{name} is written, but {result.line}")

    def _write(self, kind: str, frame: Frame) -> str:
        """Write a PNG, which is complete as soon as it exists; returns its name in the media folder."""
        moment = time.strftime("%Y%m%d-%H%M%S", self._clock())
        names = (f"{FOLDER}/{kind}-{moment}-{number:02d}.png" for number in itertools.count())
        name, path = next((name, path) for name in names if not (path := self._media.place(name)).exists())
        _, png = cv2.imencode(".png", cv2.cvtColor(frame.pixels, cv2.COLOR_RGBA2BGRA))
        part = path.with_suffix(".part")
        part.write_bytes(png.tobytes())
        os.replace(part, path)
        return name
