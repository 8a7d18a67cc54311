"""What the show is doing, in one word and a reason: for the terminal, OSC, the page and TouchDesigner alike.

The word is derived here only. It is about what the audience sees: a worker that hangs still calls itself running.

Threads: any thread may read the figures; the main thread calls `announce`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from streamvace.control.parameters import Snapshot
from streamvace.live.worker.status import State, Status
from streamvace.system.clock import now_ns
from streamvace.telemetry.reporter import Reporter
from streamvace.telemetry.telemetry import Stats

STALLED_S = 1.5
"""Without a new picture for so long, the show is stalled. Even the slowest pace plays one frame a second."""


class Word(str, Enum):
    """The state of a show."""

    STARTING = "starting"
    LIVE = "live"
    STALLED = "stalled"
    PAUSED = "paused"
    RESTARTING = "restarting"
    STOPPED = "stopped"


_WORKER = {
    State.STARTING: Word.STARTING,
    State.WARMING: Word.STARTING,
    State.READY: Word.STARTING,
    State.RESTARTING: Word.RESTARTING,
    State.FAILED: Word.STOPPED,
    State.STOPPED: Word.STOPPED,
}
"""Without its row, the worker runs, and the pictures decide."""

_LAID_OVER = {"/streamvace/blackout": "blackout", "/streamvace/freeze": "frozen"}
"""Parameter -> what is said while it is on."""


class ShowState:
    """Watches the worker, the pictures and the transport."""

    def __init__(
        self,
        worker: Callable[[], Status],
        snapshot: Callable[[], Snapshot],
        newest_ns: Callable[[], int],
        reporter: Reporter,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        """newest_ns: when a new picture was last published, on the clock; 0 before the first."""
        self._worker = worker
        self._snapshot = snapshot
        self._newest_ns = newest_ns
        self._reporter = reporter
        self._clock = clock
        self._excused_ns = clock()  # until then no picture was expected
        self._said = (Word.LIVE, "")  # a show that starts and then runs says so itself

    def figures(self) -> Stats:
        """state: the word. why: the reason, and what the performer has laid over the picture; empty for neither."""
        word, reason = self._read()
        return {"state": word.value, "why": ", ".join(part for part in (reason, self._laid_over()) if part)}

    def announce(self) -> None:
        """Say on the terminal what has changed since the last call."""
        word, reason = self._read()
        said = word, self._laid_over()
        if said == self._said or word is Word.STARTING:
            return
        self._said = said
        line = word.value + (f": {reason}" if reason else "") + (f", {said[1]}" if said[1] else "")
        if word is Word.STALLED:
            self._reporter.report("show", line)
        else:
            self._reporter.note("show", line, "")

    def _read(self) -> tuple[Word, str]:
        now, worker = self._clock(), self._worker()
        word = _WORKER.get(worker.state)
        if word is None:
            word = Word.PAUSED if self._snapshot().flag("/streamvace/pause") else Word.LIVE
        if word is not Word.LIVE:
            self._excused_ns = now
            return word, _reason(word, worker)
        silent_s = (now - max(self._newest_ns(), self._excused_ns)) / 1e9
        return (Word.STALLED, f"no new picture for {silent_s:.0f} s") if silent_s > STALLED_S else (Word.LIVE, "")

    def _laid_over(self) -> str:
        snapshot = self._snapshot()
        return ", ".join(name for address, name in _LAID_OVER.items() if snapshot.flag(address))


def _reason(word: Word, worker: Status) -> str:
    if word is Word.PAUSED:
        return ""
    waits = "waits for the first picture" if worker.state is State.READY else f"loading {worker.pipeline}"
    return worker.error or worker.progress or waits
