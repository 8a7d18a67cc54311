"""Stage times: sums on the CPU, events on CUDA, read only at the end."""

from __future__ import annotations

import pytest
import torch

from streamvace.stream.stage_clock import StageClock


def test_time_between_marks_belongs_to_the_later_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 1.0, 1.5, 3.5])
    monkeypatch.setattr("streamvace.stream.stage_clock.time.perf_counter", lambda: next(now))
    clock = StageClock(torch.device("cpu"))
    for stage in ("encode", "denoise", "encode"):
        clock.mark(stage)
    assert clock.seconds() == {"encode": 3.0, "denoise": 0.5, "total": 3.5}


class FakeEvent:
    """A fake CUDA event: each record is one ms later. It counts calls that would stall the device."""

    now = 0.0
    waits = 0

    def __init__(self, enable_timing: bool) -> None:
        assert enable_timing
        self.at: float | None = None

    def record(self) -> None:
        FakeEvent.now += 1.0
        self.at = FakeEvent.now

    def synchronize(self) -> None:
        FakeEvent.waits += 1

    def elapsed_time(self, end: FakeEvent) -> float:
        assert self.at is not None
        assert end.at is not None
        return end.at - self.at


def test_on_cuda_nothing_waits_before_the_times_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "Event", FakeEvent)
    clock = StageClock(torch.device("cuda"))
    for stage in ("denoise", "decode"):
        clock.mark(stage)
    assert FakeEvent.waits == 0
    assert clock.seconds() == pytest.approx({"denoise": 0.001, "decode": 0.001, "total": 0.002})
