"""Latency: each frame by its own control frame, each parameter change once, each leg."""

from __future__ import annotations

import numpy as np
import pytest

from streamvace.live.worker.clock_map import clock_offset, in_stage_time
from streamvace.records.chunk import Chunk, Trace
from streamvace.telemetry.latency import Latency
from streamvace.telemetry.samples import Samples, percentiles
from tests.live.show import SECOND

MS = 1_000_000
TRACE = Trace(
    captured_ns=(100 * MS,),
    received_ns=120 * MS,
    sampled_ns=150 * MS,
    started_ns=151 * MS,
    ended_ns=500 * MS,
    decoded_ns=550 * MS,
)


def test_every_leg_of_the_way_is_measured_and_they_add_up_to_the_whole() -> None:
    latency = Latency()
    latency.presented(600 * MS, 100 * MS, TRACE)
    samples = {name: values.tolist() for name, values in latency.samples().items()}
    assert samples["latency"] == pytest.approx([500])
    legs = {name: values for name, values in samples.items() if name.startswith("leg_")}
    assert legs == {
        "leg_wait": pytest.approx([50]),
        "leg_send": pytest.approx([1]),
        "leg_step": pytest.approx([349]),
        "leg_decode": pytest.approx([50]),
        "leg_queue": pytest.approx([50]),
    }
    assert sum(values[0] for values in legs.values()) == pytest.approx(500)


def test_a_parameter_change_counts_with_the_first_picture_that_shows_it_and_never_again() -> None:
    latency = Latency()
    latency.presented(600 * MS, 0, TRACE)
    latency.presented(640 * MS, 0, TRACE)
    latency.presented(900 * MS, 0, Trace(received_ns=0))
    assert latency.samples()["parameter"].tolist() == pytest.approx([480])


def test_without_control_and_without_a_trace_nothing_is_made_up() -> None:
    latency = Latency()
    latency.presented(600 * MS, 0, Trace())
    assert all(len(values) == 0 for values in latency.samples().values())


def test_a_window_holds_the_newest_samples_and_no_more() -> None:
    window = Samples(3)
    for sample in (1, 2, 3, 4):
        window.add(sample)
    assert sorted(window.samples()) == [2, 3, 4]
    assert len(window) == 3


def test_a_few_samples_more_among_many_are_no_reason_for_another_copy() -> None:
    window = Samples(1000)
    for number in range(1280):
        window.add(number)
        if number < 64:
            assert len(window.samples()) == number + 1, "among few, each one counts"
    once = window.samples()
    for _ in range(15):
        window.add(-1.0)
        assert window.samples() is once
    window.add(-1.0)
    assert (window.samples() == -1).sum() == 16


def test_percentiles_have_names_and_nothing_measured_is_zero() -> None:
    assert percentiles("x", np.zeros(0), 50, 95) == {"x_p50_ms": 0.0, "x_p95_ms": 0.0}
    assert percentiles("x", np.arange(101.0), 50, 95) == {"x_p50_ms": 50.0, "x_p95_ms": 95.0}


def test_a_worker_on_the_same_clock_is_taken_at_its_word() -> None:
    assert clock_offset(started_ns=10, heard_ns=30, worker_ns=20) == 0


@pytest.mark.parametrize("worker_ns", [5, 10**15])
def test_a_worker_on_another_clock_is_mapped_to_the_stages(worker_ns: int) -> None:
    offset = clock_offset(10 * SECOND, 30 * SECOND, worker_ns)
    trace = Trace((7,), 8, 9, worker_ns, worker_ns + 1, worker_ns + 2)
    chunk = Chunk(np.zeros((1, 2, 2, 3), np.uint8), 0, 0, 7, 0, {}, trace=trace)
    moved = in_stage_time(chunk, offset).trace
    assert (moved.started_ns, moved.decoded_ns) == (30 * SECOND, 30 * SECOND + 2)
    assert (moved.captured_ns, moved.received_ns, moved.sampled_ns) == ((7,), 8, 9)
