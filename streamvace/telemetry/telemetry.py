"""The figures of a show: counters and bounded windows of times.

Threads: the presenter, engine and source threads record, any thread reads. One lock, no I/O under it.
"""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamvace.records.chunk import Trace
from streamvace.system.clock import now_ns
from streamvace.system.console import one_line
from streamvace.system.errors import UserError
from streamvace.system.files import new_file, replace_file
from streamvace.telemetry.latency import LEGS, Latency
from streamvace.telemetry.samples import Samples, percentiles

Stats = dict[str, float | int | str]

Extra = Callable[[], Mapping[str, float | int | str]]
"""Returns further figures."""

_FPS_FRAMES = 1024
"""Times of fresh frames kept for the frame rate: more than the fastest output shows in `_FPS_SPAN_NS`."""

_FPS_SPAN_NS = 3_000_000_000
"""Time over which the frame rate is averaged: a few chunks."""

RECENT_NS = 300_000_000
"""More than between two readings for the status."""

_PERCENTILES = {
    "interval": (50, 99),
    "chunk": (50, 95),
    "latency": (50, 95, 99),
    "parameter": (50, 95, 99),
    **{f"leg_{leg}": (50,) for leg in LEGS},
}


class Telemetry:
    """Collects all figures; OSC, the web page and `--stats` show `stats()`."""

    def __init__(self, report: Callable[[str], None] = lambda line: None, clock: Callable[[], int] = now_ns) -> None:
        """report: takes a line about figures that cannot be read. clock: nanoseconds."""
        self._report = report
        self._clock = clock
        self._newest: tuple[int, Stats] = (0, {})
        self._known: dict[str, tuple[NDArray[np.float64], dict[str, float]]] = {}
        self._lock = threading.Lock()
        self._ticks = 0
        self._missed = 0
        self._chunks = 0
        self._last_tick_ns: int | None = None
        self._longest_ms = 0.0
        self._intervals_ms, self._chunk_ms, self._latency = Samples(), Samples(), Latency()
        self._stages_ms: dict[str, float] = {}
        self._fresh_ns: deque[int] = deque(maxlen=_FPS_FRAMES)
        self._extras: list[Extra] = []
        self._faults = 0
        self._last: dict[Extra, Mapping[str, float | int | str]] = {}

    def add(self, extra: Extra) -> None:
        """Add further figures (source counters, the supervisor's state); called at every `stats()`.

        If they cannot be read, because the system has no descriptor left for /proc for example, the last ones stay:
        a figure never ends a show.
        """
        with self._lock:
            self._extras.append(extra)

    def ticked(self, now_ns: int, missed: int) -> None:
        """One frame was published, after `missed` deadlines without a frame."""
        with self._lock:
            self._ticks += 1
            self._missed += missed
            if self._last_tick_ns is not None:
                interval_ms = (now_ns - self._last_tick_ns) / 1e6
                self._intervals_ms.add(interval_ms)
                self._longest_ms = max(self._longest_ms, interval_ms)
            self._last_tick_ns = now_ns

    def fresh(self, now_ns: int, captured_ns: int, trace: Trace) -> None:
        """A generated frame was published for the first time; captured_ns: see `Latency.presented`."""
        with self._lock:
            self._fresh_ns.append(now_ns)
            self._latency.presented(now_ns, captured_ns, trace)

    def newest_ns(self) -> int:
        """When the last such frame was published; 0 before the first."""
        with self._lock:
            return self._fresh_ns[-1] if self._fresh_ns else 0

    def chunk(self, seconds: float, stages: Mapping[str, float]) -> None:
        """A chunk came back. seconds: as measured by the stage. stages: the worker's seconds per stage."""
        with self._lock:
            self._chunks += 1
            self._chunk_ms.add(seconds * 1e3)
            self._stages_ms = {name: spent * 1e3 for name, spent in stages.items()}

    def stats(self) -> Stats:
        """Every figure, by name. Times in milliseconds; 0 before the first measurement."""
        with self._lock:
            figures: Stats = {"ticks": self._ticks, "missed": self._missed, "chunks": self._chunks}
            figures["interval_max_ms"] = round(self._longest_ms, 3)
            samples = {"interval": self._intervals_ms.samples(), "chunk": self._chunk_ms.samples()}
            samples |= self._latency.samples()
            fresh_ns, last_tick_ns = tuple(self._fresh_ns), self._last_tick_ns
            stages = dict(self._stages_ms)
            extras = tuple(self._extras)
        figures["fps"] = _rate(fresh_ns, last_tick_ns)
        for name, wanted in _PERCENTILES.items():
            known = self._known.get(name)
            if known is None or known[0] is not samples[name]:
                known = self._known[name] = samples[name], percentiles(name, samples[name], *wanted)
            figures.update(known[1])
        figures.update({f"stage_{name}_ms": round(spent, 3) for name, spent in stages.items()})
        for extra in extras:
            figures.update(self._read(extra))
        figures["figure_faults"] = self._faults
        self._newest = self._clock(), figures
        return figures

    def recent(self) -> Stats:
        """Every figure as it was at most RECENT_NS ago: for those who look beside the one who publishes the status."""
        read_ns, figures = self._newest
        return figures if figures and self._clock() - read_ns <= RECENT_NS else self.stats()

    def _read(self, extra: Extra) -> Mapping[str, float | int | str]:
        try:
            self._last[extra] = extra()
        except Exception as error:  # noqa: BLE001 - whatever a figure is made of may fail, and the show goes on
            with self._lock:
                self._faults += 1
            self._report(f"the last ones are shown, new ones cannot be read: {one_line(error)}")
        return self._last.get(extra, {})


def _rate(moments_ns: Sequence[int], now_ns: int | None) -> float:
    """Frames a second over the last `_FPS_SPAN_NS`; falls to 0 when the stream stops."""
    if now_ns is None:
        return 0.0
    recent = [moment for moment in moments_ns if now_ns - moment <= _FPS_SPAN_NS]
    if len(recent) < 2:
        return 0.0
    span_ns = max(now_ns - recent[0], 1)
    return round((len(recent) - 1) * 1e9 / span_ns, 2)


def write_json(path: Path, figures: Mapping[str, object]) -> None:
    """Write the file atomically: a script that waits for it never reads half a file. Raises UserError."""
    whole = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with new_file(whole) as file:
            file.write(f"{json.dumps(figures, indent=2)}\n".encode())
        replace_file(whole, path)
    except OSError as error:
        raise UserError(f"{path} is not written ({error.strerror}); close the program that uses it") from error
    finally:
        whole.unlink(missing_ok=True)
