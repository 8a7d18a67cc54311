"""Stage times: sums on the CPU, events on CUDA, read only at the end."""

from __future__ import annotations

import pytest
import torch

from streamvace.stream.stage_clock import StageClock


def test_time_between_marks_belongs_to_the_later_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 0.0, 1.0, 1.5, 3.5, 4.0])
    monkeypatch.setattr("streamvace.stream.stage_clock.time.perf_counter", lambda: next(now))
    clock = StageClock(torch.device("cpu"))
    clock.begin()
    for stage in ("encode", "denoise", "encode"):
        clock.mark(stage)
    assert clock.seconds() == {"encode": 3.0, "denoise": 0.5, "total": 4.0}


class FakeEvent:
    """A fake CUDA event: each record is one ms later. Those after `over` have not happened yet."""

    now = 0.0
    over = float("inf")

    def __init__(self, enable_timing: bool) -> None:
        assert enable_timing
        self.at = 0.0

    def record(self) -> None:
        FakeEvent.now += 1.0
        self.at = FakeEvent.now

    def query(self) -> bool:
        return self.at <= FakeEvent.over

    def elapsed_time(self, end: FakeEvent) -> float:
        assert end.query()
        return end.at - self.at


@pytest.fixture
def on_cuda(monkeypatch: pytest.MonkeyPatch) -> StageClock:
    """A clock on a card whose current stream is `FakeEvent.stream`."""
    monkeypatch.setattr(torch.cuda, "Event", FakeEvent)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda: STREAM[0])
    monkeypatch.setattr(FakeEvent, "over", float("inf"))
    STREAM[:] = ["passes"]
    return StageClock(torch.device("cuda"))


STREAM: list[str] = []


def test_each_stream_has_its_own_marks(on_cuda: StageClock) -> None:
    on_cuda.begin()
    STREAM[:] = ["pictures"]
    on_cuda.start()
    on_cuda.mark("encode")
    STREAM[:] = ["passes"]
    on_cuda.mark("denoise")
    seconds = on_cuda.seconds()
    assert seconds["encode"] == pytest.approx(0.001)
    assert seconds["denoise"] == pytest.approx(0.003), "since the chunk began, not since the encoding"


def test_a_pass_that_still_runs_is_not_waited_for_and_counts_in_the_next_chunk(on_cuda: StageClock) -> None:
    on_cuda.begin()
    on_cuda.mark("denoise")
    FakeEvent.over = FakeEvent.now
    on_cuda.mark("cache")
    assert "cache" not in on_cuda.seconds()
    FakeEvent.over = float("inf")
    on_cuda.begin()
    on_cuda.mark("denoise")
    assert on_cuda.seconds()["cache"] == pytest.approx(0.001)


def test_a_chunk_that_failed_leaves_no_times(on_cuda: StageClock) -> None:
    on_cuda.begin()
    on_cuda.mark("denoise")
    on_cuda.begin()
    on_cuda.mark("denoise")
    assert on_cuda.seconds()["denoise"] == pytest.approx(0.001)
