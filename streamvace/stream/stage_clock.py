"""Measures the time of each stage of a chunk without synchronising the device during the chunk."""

from __future__ import annotations

import time
from itertools import pairwise

import torch


class StageClock:
    """Attributes the time between two consecutive marks to the stage of the later mark.

    On CUDA the marks are events. Only `seconds` reads them, after the step's one synchronisation.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._marks: list[tuple[str, float | torch.cuda.Event]] = [("", self._now())]

    def mark(self, stage: str) -> None:
        """Attribute the work since the last mark to `stage`."""
        self._marks.append((stage, self._now()))

    def seconds(self) -> dict[str, float]:
        """Seconds by stage, and their sum as `total`."""
        spent: dict[str, float] = {}
        for (_, before), (stage, after) in pairwise(self._marks):
            spent[stage] = spent.get(stage, 0.0) + _between(before, after)
        spent["total"] = sum(spent.values())
        return spent

    def _now(self) -> float | torch.cuda.Event:
        if not self._cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event


def _between(before: float | torch.cuda.Event, after: float | torch.cuda.Event) -> float:
    if isinstance(before, float) and isinstance(after, float):
        return after - before
    assert isinstance(before, torch.cuda.Event)
    assert isinstance(after, torch.cuda.Event)
    after.synchronize()
    return before.elapsed_time(after) / 1000  # type: ignore[no-any-return]
