"""A knob that stands elsewhere than its parameter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.midi.takeover import NEAR, SAME_HAND_S, Jump, PickUp, Scaled


def test_without_takeover_the_parameter_jumps() -> None:
    assert Jump().take(0.0, 0.9, 0.1) == 0.9


def test_a_knob_that_is_elsewhere_does_nothing_until_it_arrives() -> None:
    knob = PickUp()
    assert [knob.take(float(number), number / 10, 0.52) for number in range(5)] == [None] * 5
    assert knob.take(5.0, 0.51, 0.52) == 0.51
    assert knob.take(6.0, 0.9, 0.51) == 0.9, "from then on it is in the hand, however far it moves"


@pytest.mark.parametrize(("before", "after"), [(0.1, 0.9), (0.9, 0.1)])
def test_a_knob_that_passes_its_parameter_takes_it_from_either_side(before: float, after: float) -> None:
    knob = PickUp()
    assert (knob.take(0.0, before, 0.5), knob.take(1.0, after, 0.5)) == (None, after)


def test_what_something_else_moves_must_be_picked_up_again() -> None:
    knob = PickUp()
    assert knob.take(0.0, 0.5, 0.5) == 0.5
    knob.others_moved()
    assert knob.take(9.0, 0.52, 0.9) is None


def test_a_fade_does_not_take_the_parameter_out_of_a_moving_hand() -> None:
    knob = PickUp()
    assert knob.take(1.0, 0.5, 0.5) == 0.5
    knob.others_moved()
    assert knob.take(1.0 + 0.9 * SAME_HAND_S, 0.6, 0.9) == 0.6


def test_a_scaled_value_follows_at_once_and_both_reach_the_end_together() -> None:
    knob = Scaled()
    assert knob.take(0.0, 0.2, 0.8) is None
    held = 0.8
    for raw in range(3, 11):
        found = knob.take(float(raw), raw / 10, held)
        assert found is not None
        assert found > held
        held = found
    assert held == pytest.approx(1.0)


@given(st.floats(0, 1), st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_a_scaled_value_moves_the_way_of_the_knob_and_stays_in_range(held: float, positions: list[float]) -> None:
    knob, before = Scaled(), None
    for number, position in enumerate(positions):
        found = knob.take(float(number), position, held)
        if found is not None:
            assert 0 <= found <= 1
            if before is not None and abs(position - held) > NEAR and position != found:
                assert (found - held) * (position - before) >= -1e-12
            held = found
        before = position
