"""The show's clock, and which cue's time has come on a clock that runs, stands, jumps and trembles."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streamvace.control.show_clocks import SLACK, Chase, Place, ShowClock

TIMES = (0.0, 10.0, 20.0)


def test_the_shows_clock_stands_until_it_is_started_and_begins_anew_each_time() -> None:
    now = [5_000_000_000]
    clock = ShowClock(lambda: now[0])
    clock.move(30.0)
    assert clock.place() is None
    clock.start()
    now[0] += 2_500_000_000
    assert clock.place() == Place(2.5, 1.0)
    clock.move(60.0)
    now[0] += 1_000_000_000
    assert clock.place() == Place(61.0, 1.0)
    clock.start()
    assert clock.place() == Place(0.0, 1.0)
    clock.stop()
    assert clock.place() is None


def test_each_time_comes_once_and_the_first_look_brings_the_one_that_rules() -> None:
    chase = Chase()
    assert [chase.look(place, TIMES) for place in (0.0, 5.0, 9.9, 10.0, 10.1, 19.0, 25.0, 99.0)] == [
        *(0, None, None, 1, None, None, 2, None)
    ]
    assert Chase().look(15.0, TIMES) == 1
    assert Chase().look(-0.5, TIMES) is None
    assert Chase().look(15.0, ()) is None


def test_of_several_times_passed_at_once_the_last_comes() -> None:
    chase = Chase()
    chase.look(0.0, TIMES)
    assert chase.look(30.0, TIMES) == 2


def test_a_jump_back_brings_the_cue_of_that_place_and_a_small_step_back_nothing() -> None:
    chase = Chase()
    chase.look(20.0, TIMES)
    assert [chase.look(place, TIMES) for place in (19.5, 20.0, 20.5)] == [None, None, None]
    assert chase.look(12.0, TIMES) == 1
    assert chase.look(20.1, TIMES) == 2


def test_a_clock_that_is_lost_begins_anew_when_it_is_back() -> None:
    chase = Chase()
    chase.look(12.0, TIMES)
    assert chase.look(None, TIMES) is None
    assert chase.look(12.5, TIMES) == 1


def test_what_is_passed_does_not_come_again() -> None:
    chase = Chase()
    chase.look(0.0, TIMES)
    chase.passed(20.0)
    assert [chase.look(place, TIMES) for place in (20.0, 25.0)] == [None, None]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=8), st.lists(st.floats(0, 2), max_size=60))
def test_a_clock_that_only_runs_brings_every_time_once_or_skips_it_for_a_later_one(
    times: list[float], steps: list[float]
) -> None:
    times, place, chase, came = sorted(times), 0.0, Chase(), []
    for step in (0.0, *steps):
        place += step
        index = chase.look(place, times)
        if index is not None:
            came.append(index)
            assert times[index] <= place
    assert came == sorted(set(came))
    over = [index for index, time in enumerate(times) if time <= place]
    assert came[-1:] == over[-1:]


@given(st.lists(st.floats(-SLACK / 2, SLACK / 2), min_size=2, max_size=40))
def test_a_clock_that_trembles_around_a_time_brings_it_once(tremble: list[float]) -> None:
    chase = Chase()
    chase.look(5.0, TIMES)
    came = [chase.look(10.0 + each, TIMES) for each in tremble]
    assert came.count(1) == any(10.0 + each >= 10.0 for each in tremble)
    assert came.count(0) == came.count(2) == 0
