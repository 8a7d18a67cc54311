"""The tick clock: no drift, and every missed deadline is counted once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.live.output.tick_clock import TickClock
from tests.live.show import SECOND


def test_an_hour_of_ticks_does_not_drift() -> None:
    clock = TickClock(29.97, start_ns=5)
    ticks = round(3600 * 29.97)
    for _ in range(ticks):
        assert clock.fire(clock.deadline_ns) == 0
    assert abs(clock.deadline_ns - 5 - ticks / 29.97 * SECOND) <= 1


def test_a_late_tick_does_not_delay_the_next() -> None:
    clock = TickClock(10, start_ns=0)
    clock.fire(90_000_000)
    assert clock.deadline_ns == 100_000_000


def test_a_tick_that_comes_periods_late_skips_and_counts_what_it_missed() -> None:
    clock = TickClock(10, start_ns=0)
    assert clock.fire(350_000_000) == 3
    assert clock.deadline_ns == 400_000_000


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        TickClock(0, 0)


@given(st.floats(1, 240), st.lists(st.integers(0, SECOND), max_size=50))
def test_fired_and_missed_ticks_add_up_to_the_time_that_passed(rate: float, delays: list[int]) -> None:
    clock = TickClock(rate, start_ns=0)
    fired = missed = 0
    for delay in delays:
        missed += clock.fire(clock.deadline_ns + delay)
        fired += 1
    assert clock.deadline_ns == round((fired + missed) * SECOND / rate)


def test_a_new_rate_counts_from_the_last_fired_tick_and_misses_none() -> None:
    clock = TickClock(10, start_ns=0)
    clock.fire(0)
    clock.fire(100_000_000)
    clock.set_rate(50)
    assert clock.deadline_ns == 120_000_000
    assert clock.fire(121_000_000) == 0
    clock.set_rate(4)
    assert (clock.rate, clock.deadline_ns) == (4, 370_000_000)
    with pytest.raises(ValueError, match="above 0"):
        clock.set_rate(0)


@given(st.lists(st.tuples(st.floats(1, 240), st.integers(0, SECOND)), min_size=1, max_size=30))
def test_with_any_sequence_of_rates_deadlines_only_move_forward(changes: list[tuple[float, int]]) -> None:
    clock = TickClock(30, start_ns=0)
    before = -1
    for rate, late in changes:
        deadline = clock.deadline_ns
        assert deadline > before
        before = deadline
        missed = clock.fire(deadline + late)
        assert missed == int(late * clock.rate / SECOND)
        clock.set_rate(rate)
        assert clock.deadline_ns == clock.fired_ns + round(SECOND / rate)
