"""How early is early enough."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.live.director.look_ahead import LookAhead

SECOND = 1_000_000_000


def steady(step_s: float, period_s: float, backlog_s: float, chunks: int = 8) -> LookAhead:
    look = LookAhead()
    for number in range(chunks):
        look.chunk_starts(int(number * period_s * SECOND), step_s, backlog_s)
    return look


def test_it_is_the_way_to_the_screen_and_half_a_chunk() -> None:
    assert steady(0.4, 0.5, backlog_s=0.1).seconds == pytest.approx(0.4 + 0.25)
    assert steady(0.4, 0.5, backlog_s=0.6).seconds == pytest.approx(0.6 + 0.25)


def test_a_hiccup_and_a_pause_do_not_move_it() -> None:
    look = steady(0.4, 0.5, 0.0)
    look.chunk_starts(20 * SECOND, 0.4, 0.0)
    assert look.seconds == pytest.approx(0.65)
    look.interrupted()
    look.chunk_starts(500 * SECOND, 0.4, 0.0)
    assert look.seconds == pytest.approx(0.65)


@pytest.mark.parametrize("before", [1, 2, 3])
def test_one_stall_among_the_first_periods_does_not_move_it_either(before: int) -> None:
    look = steady(0.4, 0.5, 0.0, chunks=before + 1)
    look.chunk_starts(25 * SECOND, 0.4, 0.0)
    assert look.seconds == pytest.approx(0.65)


def test_the_first_chunk_after_a_pause_is_taken_to_be_one_step_long() -> None:
    look = LookAhead()
    look.chunk_starts(0, 0.4, 0.0)
    look.interrupted()
    look.chunk_starts(500 * SECOND, 0.4, 0.0)
    assert look.seconds == pytest.approx(0.4 + 0.2)


@given(period=st.floats(0.05, 2.0), way=st.floats(0.0, 3.0), wanted=st.floats(10.0, 20.0), phase=st.floats(0.0, 1.0))
def test_the_first_chunk_after_it_is_the_one_shown_nearest_the_wanted_moment(
    period: float, way: float, wanted: float, phase: float
) -> None:
    """Chunks start every period and are shown `way` later: none of them is shown nearer to the moment."""
    set_at = wanted - steady(way, period, 0.0).seconds
    starts = [(number + phase) * period for number in range(-100, int(30 / period))]
    taken = min(start for start in starts if start > set_at)
    nearest = min(abs(start + way - wanted) for start in starts)
    assert abs(taken + way - wanted) == pytest.approx(nearest, abs=1e-5)
