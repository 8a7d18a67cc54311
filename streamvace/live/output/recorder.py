"""Records the output to files, started and stopped during the show.

`/streamvace/record` starts and stops, `/streamvace/record_file` names a file in the media folder. Nothing is ever
overwritten. The recorder is a sink of the presenter that passes frames on to the open film, if there is one.

Threads: the `recorder` thread opens and finishes films, because encoders start slowly and disks close slowly; the
presenter's thread publishes and never waits; `follow` may be called from any thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from streamvace.control.parameters import Snapshot
from streamvace.records.frame import Frame
from streamvace.system.clock import now_ns
from streamvace.system.console import one_line
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Stats
from streamvace.video.film.format import split_film
from streamvace.video.film.process import FilmProcess
from streamvace.video.film.sink import FileSink
from streamvace.video.film.writer import part_of

DEFAULT_NAME = "recordings/streamvace-{time}.mp4"
"""File of a recording without a name."""

_LOOK_S = 0.2
"""Interval for checking a running recording for faults."""


@dataclass(frozen=True, eq=False)
class _Wish:
    """The file to record to, None for none. Compared by identity: stop and start with the same name are two films."""

    name: str | None


class Recorder:
    """A sink that records while `/streamvace/record` is on."""

    name = "recorder"

    def __init__(
        self,
        media: MediaFolder,
        size: tuple[int, int],
        rate: float,
        reporter: Reporter,
        refuse: Callable[[str], None],
        wall_clock: Callable[[], str] = lambda: time.strftime("%Y%m%d-%H%M%S"),
    ) -> None:
        """size: (width, height) of the output. rate: frames a second. refuse: takes why a film could not be begun or
        ended early; then `/streamvace/record` is to be switched off. wall_clock: for the names of files."""
        self._media = media
        self._size = size
        self._rate = rate
        self._reporter = reporter
        self._refuse = refuse
        self._wall_clock = wall_clock
        self._wish = _Wish(None)
        self._film: FileSink | None = None
        self._films = 0
        self._writing = ""
        self._recorded = ""
        self._began_ns = 0
        self._dropped = 0
        self._fault = ""
        self._changed = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def follow(self, snapshot: Snapshot) -> None:
        """Adopt the parameters: whether to record, and where to. Never waits."""
        recording = snapshot.flag("/streamvace/record")
        wanted = snapshot.text("/streamvace/record_file").strip() if recording else None
        if wanted != self._wish.name:
            self._wish = _Wish(wanted)
            self._changed.set()

    def publish(self, frame: Frame) -> None:
        film = self._film
        if film is not None:
            film.publish(frame)

    def set_rate(self, rate: float) -> None:
        self._rate = rate
        film = self._film
        if film is not None:
            film.set_rate(rate)

    def close(self) -> None:
        """Finish the film, if one is open. Idempotent."""
        self._closed.set()
        self._changed.set()
        self._thread.join()

    def stats(self) -> Stats:
        """recording: the file being written, until it is finished. record_time: seconds since it was begun. recorded:
        the one finished last, as a name in the media folder. record_dropped: frames missing in files so far."""
        film = self._film
        return {
            "recording": self._writing,
            "record_time": round((now_ns() - self._began_ns) / 1e9, 1) if self._writing else 0.0,
            "recorded": self._recorded,
            "recordings": self._films,
            "record_dropped": self._dropped + (0 if film is None else film.dropped),
        }

    def _run(self) -> None:
        served = self._wish
        while not self._closed.is_set():
            self._changed.wait(None if self._film is None else _LOOK_S)
            self._changed.clear()
            if self._wish is not served:
                self._finish()
                served = self._wish  # read after finishing, which takes time, so that the newest wish counts
                if served.name is not None and not self._closed.is_set():
                    self._begin(served.name)
            elif self._film is not None:
                self._film.tell_if_slow()
                if self._film.faults:
                    self._finish()  # it cannot be written any more, and has reported why
                    self._refuse(self._fault)
        self._finish()

    def _begin(self, wanted: str) -> None:
        """Open a film with a name that no file has yet."""
        try:
            name, film_format = split_film(wanted)
            path = self._media.place(name or DEFAULT_NAME.format(time=self._wall_clock()))
            process = FilmProcess(unused(path), self._size, self._rate, film_format)
            film = FileSink(process, self._rate, self._report)
        except Exception as error:  # noqa: BLE001 - an encoder raises anything; counted, reported, the show goes on
            self._report(one_line(error))
            self._refuse(self._fault)
            return
        self._films += 1
        self._film = film
        self._began_ns = now_ns()
        self._writing = film.name

    def _report(self, line: str) -> None:
        self._fault = line
        self._reporter.report("recording", line)

    def _finish(self) -> None:
        film, self._film = self._film, None
        if film is not None:
            film.close()
            self._dropped += film.dropped
            self._recorded = self._media.name_of(Path(film.name)) or self._recorded
            self._writing = ""


def unused(path: Path) -> Path:
    """The path, or the path with -2, -3 and so on before its suffix: the first without a film or a part of one."""
    number, free = 1, path
    while free.exists() or part_of(free).exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free
