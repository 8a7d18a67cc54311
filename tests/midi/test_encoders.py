"""Endless knobs: four encodings, the guess, and acceleration."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.midi.encoders import ENCODINGS, MOST_GAIN, Acceleration, guess

LEFT = {"signed_bit": 65, "signed_bit_2": 1, "binary_offset": 63, "twos_complement": 127}
RIGHT = {"signed_bit": 1, "signed_bit_2": 65, "binary_offset": 65, "twos_complement": 1}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_each_encoding_reads_its_own_steps(encoding: str) -> None:
    steps = ENCODINGS[encoding]
    assert (steps(LEFT[encoding]), steps(RIGHT[encoding])) == (-1, 1)
    assert all(abs(steps(raw)) <= 64 for raw in range(128))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_slow_turn_to_the_left_tells_the_encoding(encoding: str) -> None:
    assert guess([LEFT[encoding]] * 3) == encoding
    two = next(raw for raw in range(128) if ENCODINGS[encoding](raw) == -2)
    assert guess([LEFT[encoding], two, LEFT[encoding], LEFT[encoding]]) == encoding


@pytest.mark.parametrize(
    "raws", [[], [63, 62, 61, 60], [127, 126, 125], [127, 0, 127, 0, 127, 0], [1, 2, 3, 4, 5], [65, 65]]
)
def test_a_fader_a_button_and_too_few_messages_are_no_endless_knob(raws: list[int]) -> None:
    assert guess(raws) == ""


@given(st.integers(0, 127), st.integers(0, 127))
def test_a_fader_that_moves_steadily_is_never_taken_for_an_endless_knob(start: int, end: int) -> None:
    assert guess(list(range(start, end)) or list(range(start, end, -1))) == ""


def test_a_fast_turn_goes_further_and_a_slow_one_does_not() -> None:
    slow, fast = Acceleration(1.0), Acceleration(1.0)
    assert [slow.moved(number / 16, 1) for number in range(9)] == [1] * 9
    assert [fast.moved(number / 64, -1) for number in range(64)][-1] == pytest.approx(-3.2, abs=0.3)
    assert fast.moved(1.0, 63) == 63 * MOST_GAIN
    assert [Acceleration(0.0).moved(number / 1000, 1) for number in range(2)] == [1, 1]


def test_messages_of_one_packet_are_no_fast_turn() -> None:
    knob = Acceleration(1.0)
    assert [knob.moved(5.0, 1) for _ in range(3)] == [1, 1, 1]
