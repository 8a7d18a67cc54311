"""Measures the time of each stage of a chunk without ever waiting for the device."""

from __future__ import annotations

import time
from typing import NamedTuple

import torch

Moment = float | torch.cuda.Event


class Span(NamedTuple):
    """Work on one stream from a moment to another."""

    stage: str
    start: Moment
    end: Moment


class StageClock:
    """Attributes the time between two consecutive marks of a stream to the stage of the later mark.

    On CUDA the marks are events, and stages on different streams overlap, those of a second card too. On other devices
    there is one stream.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._spans: list[Span] = []
        self._running: list[Span] = []
        self._last: dict[object, Moment] = {}
        self._began = 0.0

    def begin(self) -> None:
        """A chunk begins. Of the chunk before, only work that was still running at its end is kept."""
        self._began = time.perf_counter()
        self._spans = list(self._running)
        self.start()

    def start(self) -> None:
        """Work on the current stream begins."""
        self._last[self._stream()] = self._now()

    def mark(self, stage: str) -> None:
        """Attribute the current stream's work since its last mark to `stage`."""
        stream, now = self._stream(), self._now()
        self._spans.append(Span(stage, self._last[stream], now))
        self._last[stream] = now

    def seconds(self) -> dict[str, float]:
        """Seconds by stage, and as `total` those since `begin`. Work that is still running counts in the next chunk."""
        spent: dict[str, float] = {}
        self._running = []
        for span in self._spans:
            if _is_over(span.end):
                spent[span.stage] = spent.get(span.stage, 0.0) + _between(span.start, span.end)
            else:
                self._running.append(span)
        spent["total"] = time.perf_counter() - self._began
        return spent

    def _stream(self) -> object:
        return torch.cuda.current_stream() if self._device.type == "cuda" else None

    def _now(self) -> Moment:
        if self._device.type != "cuda":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event


def _is_over(moment: Moment) -> bool:
    return isinstance(moment, float) or moment.query()


def _between(before: Moment, after: Moment) -> float:
    if isinstance(before, float) and isinstance(after, float):
        return after - before
    assert isinstance(before, torch.cuda.Event)
    assert isinstance(after, torch.cuda.Event)
    return before.elapsed_time(after) / 1000  # type: ignore[no-any-return]
