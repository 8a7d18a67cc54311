"""MIDI timecode: every rate, both directions, jumps and silence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.midi.messages import Parser
from streamvace.midi.timecode import RATES, Rate, Time, Timecode, time_of

PAL = RATES[1]


def pieces(time: Time) -> list[tuple[int, int]]:
    """The eight quarter frames of a time, first to last."""
    hours = time.hours | RATES.index(time.rate) << 5
    parts = (time.frames, time.seconds, time.minutes, hours)
    nibbles = [half for part in parts for half in (part & 15, part >> 4)]
    return [(0xF1, number << 4 | nibble) for number, nibble in enumerate(nibbles)]


@given(st.sampled_from(RATES), st.integers(0, 2_589_407))
def test_a_frame_has_one_time_and_a_time_one_frame(rate: Rate, number: int) -> None:
    day = 24 * (3600 * rate.frames - 54 * rate.drop)
    time = time_of(number, rate)
    assert time.number == number % day
    assert not (rate.drop and time.seconds == 0 and time.minutes % 10 and time.frames < 2)


def test_an_hour_of_dropped_numbers_is_an_hour() -> None:
    hour = Time(1, 0, 0, 0, RATES[2])
    assert hour.number * hour.rate.seconds == pytest.approx(3600, abs=0.004)
    assert str(hour) == "01:00:00;00"


@pytest.mark.parametrize("rate", RATES)
def test_eight_quarter_frames_are_a_time_two_frames_old_which_runs_on(rate: Rate) -> None:
    code, quarter = Timecode(), rate.seconds / 4
    now = 10.0
    for number in range(0, 20, 2):
        for message in pieces(time_of(90_000 + number, rate)):
            assert code.take(now, message)
            now += quarter
    now -= quarter
    assert code.reading(now) == time_of(90_020, rate)
    assert code.reading(now + 1.5 * rate.seconds) == time_of(90_021, rate)
    assert code.seconds(now) == pytest.approx(90_020 * rate.seconds)


def test_a_tape_that_runs_backwards_counts_backwards() -> None:
    code = Timecode()
    now = 1.0
    for number in (100, 98, 96):
        for message in reversed(pieces(time_of(number, PAL))):
            code.take(now, message)
            now += 0.01
    assert code.reading(now - 0.01) == time_of(96, PAL)
    assert code.reading(now + 0.04) == time_of(95, PAL)


def test_a_lost_quarter_frame_makes_no_time_of_two_halves() -> None:
    code = Timecode()
    old, new = pieces(time_of(1000, PAL)), pieces(time_of(60_000, PAL))
    for number, message in enumerate([*old[:4], *new[5:]]):
        code.take(number / 100, message)
    assert code.reading(0.1) is None
    assert code.seconds(0.1) == 0.0


def test_a_full_frame_sets_the_time_and_stands() -> None:
    code = Timecode()
    (message,) = Parser().feed(bytes([0xF0, 0x7F, 0x7F, 1, 1, 1 | 1 << 5, 2, 3, 4, 0xF7]))
    assert code.take(5.0, message)
    assert code.reading(5.2) == Time(1, 2, 3, 4, PAL)


def test_timecode_that_falls_silent_stands_at_its_last_time() -> None:
    code = Timecode()
    for number, message in enumerate(pieces(time_of(500, PAL))):
        code.take(number / 100, message)
    assert code.reading(60.0) == time_of(502, PAL)


def test_impossible_times_and_other_messages_are_left_alone() -> None:
    code = Timecode()
    assert not code.take(0.0, (0xB0, 1, 2))
    assert not code.take(0.0, (0xF0, 0x7D, 1, 2))
    code.take(0.0, (0xF0, 0x7F, 0x7F, 1, 1, 31, 2, 3, 4))
    assert code.reading(0.0) is None


@given(st.lists(st.tuples(st.just(0xF1), st.integers(0, 127)), max_size=60))
def test_any_quarter_frames_give_a_time_of_the_day_or_none(messages: list[tuple[int, int]]) -> None:
    code = Timecode()
    for number, message in enumerate(messages):
        code.take(number / 100, message)
        time = code.reading(number / 100)
        assert time is None or (time.hours < 24 and time.frames < time.rate.frames)
