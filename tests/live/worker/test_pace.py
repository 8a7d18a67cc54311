"""What the pace promises: play a little slower than chunks come, and ask for the next one late but in time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.live.worker.pace import Pace, PaceMeter

TICK_S = 1 / 30


def steady(step_s: float, frames: int = 12) -> Pace:
    meter = PaceMeter()
    for _ in range(8):
        pace = meter.record(frames, step_s)
    return pace


def test_before_the_first_chunk_nothing_is_withheld_and_the_nominal_rate_holds() -> None:
    pace = PaceMeter().pace()
    assert pace.wait_s(0.0, TICK_S) == 0
    assert pace.play_rate(24) == 24


def test_a_slow_generator_is_played_a_little_slower_than_it_generates() -> None:
    pace = steady(1.0)
    assert 11 < pace.play_rate(24) < 12


def test_a_fast_generator_is_played_at_the_nominal_rate() -> None:
    assert steady(0.1).play_rate(24) == 24


def test_jitter_slows_the_playing_so_that_an_unlucky_chunk_does_not_starve() -> None:
    meter = PaceMeter()
    for i in range(8):
        pace = meter.record(12, 0.8 if i % 2 else 1.2)
    assert pace.play_rate(24) < steady(1.0).play_rate(24)


@pytest.mark.parametrize("stall_s", [1.0, 5.0, 25.0, 3600.0])
@pytest.mark.parametrize("place", range(3, 8))
def test_one_stalled_chunk_moves_neither_the_rate_nor_the_time_of_a_step(place: int, stall_s: float) -> None:
    meter = PaceMeter()
    for number in range(8):
        pace = meter.record(12, 1.0 + stall_s * (number == place))
        assert pace == steady(1.0)


def test_three_stalls_in_a_row_do_not_move_it_and_a_lasting_change_is_followed_after_five_chunks() -> None:
    meter = PaceMeter()
    for _ in range(8):
        meter.record(12, 1.0)
    paces = [meter.record(12, 3.0) for _ in range(5)]
    assert paces[2] == steady(1.0)
    assert paces[4] == steady(3.0)


def test_jitter_is_a_standard_deviation_of_chunks_that_vary_evenly() -> None:
    meter = PaceMeter()
    for deviation in (-1.53, -0.89, -0.49, -0.16, 0.16, 0.49, 0.89, 1.53):  # the octiles of a normal distribution
        pace = meter.record(12, 2.0 + 0.1 * deviation)
    assert pace.jitter_s == pytest.approx(0.1, rel=0.1)


def test_times_that_alternate_are_played_at_the_rate_between_them() -> None:
    meter = PaceMeter()
    for number in range(8):
        pace = meter.record(12, 0.5 if number % 2 else 0.7)
    assert pace.step_s == pytest.approx(0.6)
    assert pace.jitter_s > 0.1


def test_a_slow_generator_is_asked_again_at_once() -> None:
    assert steady(1.0).wait_s(0.9, TICK_S) == 0


def test_a_fast_generator_waits_until_the_next_chunk_will_arrive_in_time() -> None:
    wait = steady(0.1).wait_s(0.5, TICK_S)
    assert 0.2 < wait < 0.4


@given(st.lists(st.floats(0.001, 20), min_size=1, max_size=20), st.floats(0, 5))
def test_the_wait_never_eats_into_the_time_a_chunk_takes(times: list[float], backlog_s: float) -> None:
    meter = PaceMeter()
    for seconds in times:
        pace = meter.record(12, seconds)
    wait = pace.wait_s(backlog_s, TICK_S)
    assert 0 <= wait <= max(0.0, backlog_s - pace.step_s)
    assert 0 < pace.play_rate(24) <= 24
