"""Pictures from the media folder, in memory when a chunk is built.

Disks are slow and network drives hang, so a thread reads and fits the files; a chunk takes what is ready and never
waits. The newest request wins: a performer who turns a knob through forty pictures waits for the last one only. A file
that changes is read again, so another program may draw the reference during the show.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from streamvace.system.console import one_line
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Stats
from streamvace.video.film.picture_process import PictureProcess as PictureProcess
from streamvace.video.film.still import load_picture as load_picture

Pixels = NDArray[np.uint8]

Use = Literal["reference", "frame"]
"""What a picture is used for; decides how it is fitted to the show's size."""


@dataclass(frozen=True)
class Wish:
    """A picture that chunks need. name: of a file in the media folder."""

    name: str
    use: Use


@dataclass(frozen=True)
class _Kept:
    """The result of a wish. stamp: size and time of the file at the last attempt. pixels: None if never readable.
    fault: of that attempt, one line or empty."""

    stamp: tuple[int, int]
    pixels: Pixels | None
    fault: str = ""


_MISSING = (-1, -1)
"""The stamp of a file that cannot be found."""


class PictureShelf:
    """Pictures, read and fitted, for as long as they are wanted.

    Threads: the `pictures` thread reads; `want`, `take`, `settle` and `stats` may be called from any thread and never
    touch the disk.
    """

    LOOK_S = 1.0
    """Interval for checking the wanted files: a missing, half-written or changed file is read again."""

    CLOSE_S = 2.0
    """Wait for the thread at the end; a network drive that hangs longer is abandoned."""

    def __init__(
        self,
        media: MediaFolder,
        fit: Callable[[Pixels, Use], Pixels],
        reporter: Reporter,
        load: Callable[[Path], Pixels] = load_picture,
    ) -> None:
        """fit: uint8 `[h, w, 4]` to what a chunk takes for that use; called on the `pictures` thread."""
        self._media = media
        self._fit = fit
        self._reporter = reporter
        self._load = load
        self._wanted: tuple[Wish, ...] = ()
        self._asked = self._answered = 0  # number of the newest request, and of the newest one that is complete
        self._shelf: dict[Wish, _Kept] = {}
        self._changed = threading.Condition()
        self._stopped = False
        self._loads = 0
        self._faults = 0
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)
        self._thread.start()

    def want(self, wishes: Iterable[Wish]) -> None:
        """Replace the set of wanted pictures."""
        wanted = tuple(dict.fromkeys(wishes))
        with self._changed:
            if wanted != self._wanted:
                self._wanted = wanted
                self._asked += 1
                self._changed.notify_all()

    def take(self, wish: Wish) -> Pixels | None:
        """The fitted picture, read-only; None if it is not read yet, unreadable or not wanted."""
        with self._changed:
            kept = self._shelf.get(wish)
        return None if kept is None else kept.pixels

    def faults(self) -> Mapping[str, str]:
        """Why a wanted picture could not be read at the last attempt, by name."""
        with self._changed:
            return {wish.name: kept.fault for wish, kept in self._shelf.items() if kept.fault and wish in self._wanted}

    @property
    def settled(self) -> bool:
        """Whether every wanted picture has been read or refused."""
        with self._changed:
            return self._answered == self._asked

    def settle(self, timeout_s: float) -> bool:
        """Wait until `settled`; False after the timeout. For tests, not for chunks."""
        with self._changed:
            return self._changed.wait_for(lambda: self._answered == self._asked, timeout_s)

    def stats(self) -> Stats:
        """Figures for telemetry."""
        with self._changed:
            return {"pictures": len(self._shelf), "picture_loads": self._loads, "picture_faults": self._faults}

    def stop(self) -> None:
        """End the thread. Idempotent."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join(self.CLOSE_S)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._answered != self._asked, self.LOOK_S)
                if self._stopped:
                    return
                wanted, asked = self._wanted, self._asked
                self._shelf = {wish: kept for wish, kept in self._shelf.items() if wish in wanted}
            for wish in wanted:
                if self._overtaken(asked):
                    break
                self._look(wish)
            else:
                with self._changed:
                    self._answered = asked
                    self._changed.notify_all()

    def _overtaken(self, asked: int) -> bool:
        """Whether a newer request, or `stop`, makes the rest of this one void."""
        with self._changed:
            return self._stopped or self._asked != asked

    def _look(self, wish: Wish) -> None:
        """Read a file that is new or has changed. A failure is reported once and keeps the last good picture."""
        with self._changed:
            before = self._shelf.get(wish)
        stamp, line, pixels = _MISSING, "", None if before is None else before.pixels
        try:
            path = self._media.find(wish.name)
            entry = os.stat(path)
            stamp = (entry.st_size, entry.st_mtime_ns)
            if before is not None and stamp == before.stamp:
                return
            pixels = self._fit(self._load(path), wish.use)
        except UserError as error:
            line = str(error)
        except Exception as error:  # noqa: BLE001 - decoders raise anything; counted and reported
            line = one_line(error)
        if before is not None and stamp == before.stamp:
            return  # still missing
        with self._changed:
            self._shelf[wish] = _Kept(stamp, pixels, line)
            self._loads += not line
            self._faults += bool(line)
        if line:
            self._reporter.report("picture", line)
