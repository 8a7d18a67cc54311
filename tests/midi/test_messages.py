"""MIDI bytes: running status, a clock between other bytes, and what is cut off."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streamvace.midi.messages import LONGEST_EXCLUSIVE, Parser


def parsed(data: bytes) -> list[tuple[int, ...]]:
    return Parser().feed(data)


def test_running_status_repeats_the_status() -> None:
    assert parsed(bytes([0xB0, 7, 100, 7, 101, 8, 1])) == [(0xB0, 7, 100), (0xB0, 7, 101), (0xB0, 8, 1)]


def test_a_clock_tick_may_stand_inside_a_message() -> None:
    assert parsed(bytes([0x90, 60, 0xF8, 127])) == [(0xF8,), (0x90, 60, 127)]
    assert parsed(bytes([0xF0, 1, 0xF8, 2, 0xF7, 0xC3, 5])) == [(0xF8,), (0xF0, 1, 2), (0xC3, 5)]


def test_a_system_message_ends_running_status() -> None:
    parser = Parser()
    assert parser.feed(bytes([0xB0, 1, 2, 0xF2, 0, 8, 3, 4])) == [(0xB0, 1, 2), (0xF2, 0, 8)]
    assert parser.damaged == 2


def test_what_is_cut_off_is_counted_and_the_next_message_is_read() -> None:
    parser = Parser()
    assert parser.feed(bytes([7, 0xB0, 7, 0x90, 60, 127])) == [(0x90, 60, 127)]
    assert parser.damaged == 2


def test_a_dump_is_read_over_and_system_exclusive_that_is_cut_off_is_counted() -> None:
    parser = Parser()
    assert parser.feed(bytes([0xF0, *[1] * (LONGEST_EXCLUSIVE + 1), 0xF7, 0xF0, 5, 0xB0, 7, 1])) == [(0xB0, 7, 1)]
    assert parser.damaged == 1
    assert parser.feed(bytes([0xF0, *[1] * LONGEST_EXCLUSIVE, 0xF7, 0xF7])) == [(0xF0, *[1] * LONGEST_EXCLUSIVE)]


@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_bytes_give_whole_messages_however_they_are_split(data: bytes, cut: int) -> None:
    messages = parsed(data)
    for status, *values in messages:
        assert status >= 0x80
        assert all(value < 0x80 for value in values)
    parser = Parser()
    assert parser.feed(data[:cut]) + parser.feed(data[cut:]) == messages
