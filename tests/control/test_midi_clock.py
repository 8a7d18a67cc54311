"""A MIDI clock's beat: where beat 0 is, what stops it, and when it is gone."""

from __future__ import annotations

import pytest

from streamvace.control.midi_clock import MidiClock

PERIOD = 0.5 / 24
"""Between two ticks at 120 beats a minute."""


def ticks(clock: MidiClock, start: float, count: int) -> float:
    """So many ticks; the time of the next one."""
    for number in range(count):
        clock.tick(start + number * PERIOD)
    return start + count * PERIOD


def beat(clock: MidiClock, now: float) -> float:
    reading = clock.reading(now)
    assert reading is not None
    return reading.beat


def test_the_first_tick_after_a_start_is_beat_0() -> None:
    clock = MidiClock()
    now = ticks(clock, 1.0, 100)
    clock.start()
    ticks(clock, now, 25)
    assert beat(clock, now + 24 * PERIOD) == pytest.approx(1.0)
    assert beat(clock, now + 24 * PERIOD + 0.125) == pytest.approx(1.25)


def test_between_two_ticks_the_beat_goes_on() -> None:
    clock = MidiClock()
    clock.start()
    now = ticks(clock, 1.0, 49)
    assert beat(clock, now - PERIOD / 2) == pytest.approx(2 + 0.5 / 24)


def test_a_stopped_clock_stands_and_continues_where_it_stood() -> None:
    clock = MidiClock()
    clock.start()
    now = ticks(clock, 1.0, 48)
    clock.stop()
    now = ticks(clock, now, 30)
    reading = clock.reading(now)
    assert reading is not None
    assert (reading.beat, reading.running, round(reading.tempo)) == (2.0, False, 120)
    clock.go_on()
    ticks(clock, now, 1)
    assert beat(clock, now) == pytest.approx(2.0)


@pytest.mark.parametrize("sixteenths", [0, 1, 16, 16383])
def test_continue_begins_at_the_song_position(sixteenths: int) -> None:
    clock = MidiClock()
    clock.locate(sixteenths)
    clock.go_on()
    ticks(clock, 1.0, 1)
    assert beat(clock, 1.0) == pytest.approx(sixteenths / 4)


def test_start_begins_at_0_whatever_the_song_position_was() -> None:
    clock = MidiClock()
    clock.locate(64)
    clock.start()
    ticks(clock, 1.0, 1)
    assert beat(clock, 1.0) == 0.0


def test_a_clock_joined_in_the_middle_runs_from_its_first_tick() -> None:
    clock = MidiClock()
    ticks(clock, 1.0, 24)
    reading = clock.reading(1.0 + 24 * PERIOD)
    assert reading is not None
    assert reading.running
    assert reading.beat == pytest.approx(1.0)


def test_a_clock_that_stops_ticking_is_gone_after_a_quarter_of_a_second() -> None:
    clock = MidiClock()
    clock.start()
    last = ticks(clock, 1.0, 48) - PERIOD
    assert clock.reading(last + 0.249) is not None
    assert clock.reading(last + 0.251) is None


def test_a_clock_that_was_stopped_may_be_silent() -> None:
    clock = MidiClock()
    now = ticks(clock, 1.0, 48)
    clock.stop()
    reading = clock.reading(now + 60)
    assert reading is not None
    assert not reading.running


def test_a_clock_that_comes_back_counts_on_from_its_last_tick() -> None:
    clock = MidiClock()
    clock.start()
    ticks(clock, 1.0, 48)
    ticks(clock, 60.0, 25)
    assert beat(clock, 60.0 + 24 * PERIOD) == pytest.approx(3.0)


def test_without_a_tick_there_is_no_clock() -> None:
    clock = MidiClock()
    clock.start()
    clock.stop()
    assert clock.reading(1.0) is None
