"""Recording the output to a file, started and stopped during the show.

`/streamvace/record` starts and stops, `/streamvace/record_file` names the file in the media folder; nothing is ever
overwritten. The recorder is one more sink of the presenter: it passes frames on to the film that is open, if one is.

Threads: one of its own (`recorder`) opens and finishes films, because an encoder takes long to start and a disk long to
close; the presenter's thread publishes and never waits; `follow` is called from any thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from streamvace.control.parameters import Snapshot
from streamvace.records.frame import Frame
from streamvace.system.errors import UserError
from streamvace.system.media import MediaFolder
from streamvace.telemetry.reporter import Reporter, one_line
from streamvace.telemetry.telemetry import Stats
from streamvace.video.film.format import parse_film
from streamvace.video.film.process import FilmProcess
from streamvace.video.film.sink import FileSink
from streamvace.video.film.writer import part_of

DEFAULT_NAME = "recordings/streamvace-{time}.mp4"
"""Where a recording goes that nobody named."""

_LOOK_S = 0.2
"""How often a running recording is looked at for faults."""


@dataclass(frozen=True, eq=False)
class _Wish:
    """What to record to, None for nothing; each another one, even of the same name: stop and start are two films."""

    name: str | None


class Recorder:
    """A sink that records while it is asked to."""

    name = "recorder"

    def __init__(
        self,
        media: MediaFolder,
        size: tuple[int, int],
        rate: float,
        reporter: Reporter,
        wall_clock: Callable[[], str] = lambda: time.strftime("%Y%m%d-%H%M%S"),
    ) -> None:
        """size: (width, height) of the output; rate: of its clock, frames a second; wall_clock: for names of files."""
        self._media = media
        self._size = size
        self._rate = rate
        self._reporter = reporter
        self._wall_clock = wall_clock
        self._wish = _Wish(None)
        self._film: FileSink | None = None
        self._films = 0
        self._writing = ""
        self._dropped = 0
        self._changed = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def follow(self, snapshot: Snapshot) -> None:
        """The parameters changed: record or not, and where to. Never waits."""
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
        """recording: the file being written, until it is finished. record_dropped: frames left out of all so far."""
        film = self._film
        return {
            "recording": self._writing,
            "recordings": self._films,
            "record_dropped": self._dropped + (0 if film is None else film.dropped),
        }

    def _run(self) -> None:
        served = self._wish
        while not self._closed.is_set():
            self._changed.wait(None if self._film is None else _LOOK_S)
            if self._changed.is_set():
                self._changed.clear()
                if self._wish is served:
                    continue
                self._finish()
                served = self._wish  # read after finishing, which takes time: what was wished meanwhile is this film
                if served.name is not None and not self._closed.is_set():
                    self._begin(served.name)
            elif self._film is not None:
                self._film.tell_if_slow()
                if self._film.faults:
                    self._finish()  # it cannot be written any more, and has said so
        self._finish()

    def _begin(self, wanted: str) -> None:
        """Open a film under a name that no file has yet."""
        try:
            name, mark, options = wanted.partition("?")
            place = self._media.place(name or DEFAULT_NAME.format(time=self._wall_clock()))
            path, film_format = parse_film(f"{place}{mark}{options}")
            path = unused(path)
            made = FilmProcess(path, self._size, self._rate, film_format)
            film = FileSink(made, self._rate, partial(self._reporter.report, "recording"))
        except UserError as error:
            self._reporter.report("recording", str(error))
        except Exception as error:  # noqa: BLE001 - an encoder raises anything; counted, reported, the show goes on
            self._reporter.report("recording", one_line(error))
        else:
            self._films += 1
            self._film = film
            self._writing = film.name

    def _finish(self) -> None:
        film, self._film = self._film, None
        if film is not None:
            film.close()
            self._dropped += film.dropped
            self._writing = ""


def unused(path: Path) -> Path:
    """The path itself, or with -2, -3 and so on before its ending: the first that neither a film nor a part has."""
    number, free = 1, path
    while free.exists() or part_of(free).exists():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free
