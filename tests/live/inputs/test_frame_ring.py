"""The frame ring: pushing never fails, samples are spread evenly in time, and the newest frame is always last."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.live.inputs.frame_ring import FrameRing
from tests.live.show import frame


def filled(times: list[int], capacity: int = 96) -> FrameRing:
    ring = FrameRing(capacity)
    for time in times:
        ring.push(frame(time))
    return ring


def sampled(ring: FrameRing, count: int, since: int) -> list[int]:
    return [each.captured_ns for each in ring.sample(count, since)]


def test_an_empty_ring_gives_nothing() -> None:
    ring = FrameRing()
    assert ring.newest() is None
    assert ring.sample(9, 0) == []


def test_frames_are_picked_evenly_and_the_last_is_the_newest() -> None:
    assert sampled(filled(list(range(1, 26))), 4, 0) == [1, 9, 17, 25]


def test_exactly_as_many_frames_as_wanted_are_all_taken_in_order() -> None:
    assert sampled(filled(list(range(10, 22))), 12, 9) == list(range(10, 22))


def test_too_few_frames_repeat_the_nearest() -> None:
    assert sampled(filled([10, 20]), 4, 0) == [10, 10, 20, 20]


def test_without_a_new_frame_the_last_is_held() -> None:
    assert sampled(filled([10, 20]), 3, 20) == [20, 20, 20]


def test_an_irregular_source_keeps_its_real_motion() -> None:
    # Two frames at once after a long gap: picking by index would jump ahead half a chunk too early.
    assert sampled(filled([0, 100, 101]), 5, -1) == [0, 0, 100, 100, 101]


def test_only_frames_after_the_last_sampling_count() -> None:
    assert sampled(filled([1, 2, 3, 4, 5, 6]), 3, 3) == [4, 5, 6]


def test_the_oldest_frames_are_dropped_and_only_unsampled_ones_count_as_overwritten() -> None:
    ring = filled([1, 2, 3, 4], capacity=4)
    ring.sample(2, 0)
    for time in (5, 6, 7, 8, 9, 10):
        ring.push(frame(time))
    counters = ring.counters()
    assert counters.received == 10
    assert counters.overwritten == 2  # 5 and 6: 1 to 4 were sampled
    assert sampled(ring, 4, 0) == [7, 8, 9, 10]


def test_a_ring_of_no_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        FrameRing(0)


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=60).map(sorted),
    st.integers(1, 24),
    st.integers(-1, 1000),
)
def test_any_sampling_has_the_right_length_and_order_and_ends_with_the_newest(
    times: list[int], count: int, since: int
) -> None:
    taken = sampled(filled(times, capacity=32), count, since)
    assert len(taken) == count
    assert taken == sorted(taken)
    assert taken[-1] == times[-1]
    assert set(taken) <= set(times[-32:])


def test_two_threads_lose_nothing() -> None:
    ring = FrameRing(8)
    pushing = threading.Thread(target=lambda: [ring.push(frame(time)) for time in range(2000)])
    pushing.start()
    while pushing.is_alive():
        taken = [each.captured_ns for each in ring.sample(5, 0)]
        assert taken == sorted(taken)
    pushing.join()
    assert ring.counters().received == 2000


def test_the_frame_nearest_in_time_is_found_for_every_moment() -> None:
    ring = filled([10, 20, 30])
    assert [each.captured_ns for each in ring.nearest([0, 14, 16, 30, 99])] == [10, 10, 20, 30, 30]
    assert FrameRing().nearest([1, 2]) == []
