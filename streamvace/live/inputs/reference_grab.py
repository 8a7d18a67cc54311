"""Grab a picture of the output or the input during the show, and use it as a reference.

It becomes a file of the media folder and then an ordinary reference, so it is listed, stored in cues and kept for the
next show. The `grabs` thread compresses and writes it.
"""

from __future__ import annotations

import itertools
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Mapping

import cv2

from osc_schema import Value
from streamvace.control.parameters import Result
from streamvace.records.frame import Frame
from streamvace.system.allowance import Allowance
from streamvace.system.errors import UserError
from streamvace.system.files import new_file, replace_file
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Stats

GRAB = "/streamvace/reference/grab"
ADD = "/streamvace/reference/add"

FOLDER = "grabs"
"""Folder for grabbed pictures, inside the media folder."""
GRABS = (8, 1.0)
"""Pictures at once, and a second: as many as there are references, and no faster than anyone can look at them."""
MOST_FILES = 1000
"""Pictures in the folder; beyond that nobody finds one again, and a forgotten loop fills the disk."""
DISK_LEFT = 0.05
"""Share of the disk that grabs leave free for recordings."""


class Grabber:
    """Takes the newest picture on request, writes it, and adds it to the references."""

    QUEUED = 4
    """Pictures that may wait to be written. Further requests are refused: the disk is too slow."""

    CLOSE_S = 2.0

    def __init__(
        self,
        media: MediaFolder,
        reporter: Reporter,
        clock: Callable[[], time.struct_time] = time.localtime,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """clock: names the files. seconds: limits how many there are."""
        self._media = media
        self._seconds = seconds
        self._allowance = Allowance(*GRABS)
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

        Raises UserError if there is no picture yet, too many are asked for, or the queue is full.
        """
        newest = self._pictures.get(str(argument))
        frame = None if newest is None else newest()
        if frame is None:
            raise UserError(f"there is no {argument} picture yet")
        if not self._allowance.take(self._seconds()):
            raise UserError(f"more than {GRABS[0]} pictures at once or {GRABS[1]:g} a second; grab again in a second")
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

    def _check_room(self) -> None:
        """Raises UserError if the folder or the disk is full, with both values."""
        folder = self._media.place(f"{FOLDER}/any.png").parent
        there = sum(entry.name.endswith(".png") for entry in os.scandir(folder))
        if there >= MOST_FILES:
            raise UserError(f"{folder} holds {there} pictures, the limit is {MOST_FILES}; move or delete some")
        disk = shutil.disk_usage(folder)
        if disk.free < disk.total * DISK_LEFT:
            left = disk.total * DISK_LEFT
            raise UserError(
                f"the disk of {folder} has {disk.free / 1e9:.1f} GB free, and grabs leave {left / 1e9:.1f} GB "
                f"({DISK_LEFT:.0%}) for recordings; make room, or use another --media"
            )

    def _write(self, kind: str, frame: Frame) -> str:
        """Write a PNG, which is complete as soon as it exists; returns its name in the media folder."""
        self._check_room()
        moment = time.strftime("%Y%m%d-%H%M%S", self._clock())
        names = (f"{FOLDER}/{kind}-{moment}-{number:02d}.png" for number in itertools.count())
        name, path = next((name, path) for name in names if not (path := self._media.place(name)).exists())
        _, png = cv2.imencode(".png", cv2.cvtColor(frame.pixels, cv2.COLOR_RGBA2BGRA))
        part = path.with_suffix(".part")
        with new_file(part) as file:
            file.write(png.tobytes())
        replace_file(part, path)
        return name
