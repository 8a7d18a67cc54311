"""Positions to values and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.midi.shape import NAMES, Shape
from tests.midi.rows import SCHEMA

LEVEL, RATE, COUNT, KIND, ON = (SCHEMA[f"/streamvace/{name}"] for name in ("level", "rate", "count", "kind", "on"))


@pytest.mark.parametrize(("low", "high"), [(0.0, 2.0), (2.0, 0.0), (0.25, 0.5)])
@pytest.mark.parametrize("curve", [name for name in NAMES if name != "log"])
def test_both_ends_of_a_range_are_reached_exactly_and_low_above_high_inverts(
    low: float, high: float, curve: str
) -> None:
    shape = Shape(LEVEL, low, high, curve)
    assert (shape.value(0.0), shape.value(1.0)) == (low, high)
    assert (shape.position(low), shape.position(high)) == pytest.approx((0.0, 1.0), abs=1e-6)


@given(st.floats(0, 1), st.sampled_from(NAMES), st.booleans())
def test_a_control_stands_where_its_value_was_set(position: float, curve: str, inverted: bool) -> None:
    low, high = (100.0, 1.0) if inverted else (1.0, 100.0)
    shape = Shape(RATE, low, high, curve)
    value = shape.value(position)
    assert isinstance(value, float)
    assert 1.0 <= value <= 100.0
    assert shape.value(shape.position(value)) == pytest.approx(value, rel=1e-6)


def test_on_a_logarithmic_curve_each_doubling_takes_the_same_way() -> None:
    shape = Shape(RATE, 1.0, 100.0, "log")
    assert shape.value(0.5) == pytest.approx(10.0)
    assert shape.position(10.0) == pytest.approx(0.5)


def test_choices_and_whole_numbers_get_bands_of_the_same_width() -> None:
    kinds = [Shape(KIND, 0, 2).value(raw / 127) for raw in range(128)]
    assert [kinds.count(name) for name in "abc"] == [43, 42, 43]
    counts = [Shape(COUNT, 1, 4).value(raw / 127) for raw in range(128)]
    assert [counts.count(number) for number in (1, 2, 3, 4)] == [32, 32, 32, 32]
    assert [Shape(KIND, 2, 0).value(position) for position in (0.0, 0.5, 1.0)] == ["c", "b", "a"]
    assert [Shape(KIND, 1, 2).value(position) for position in (0.0, 0.49, 0.51, 1.0)] == ["b", "b", "c", "c"]


@given(st.integers(1, 4), st.booleans())
def test_a_motor_fader_that_is_told_a_whole_number_sends_it_back(number: int, inverted: bool) -> None:
    shape = Shape(COUNT, 4, 1) if inverted else Shape(COUNT, 1, 4)
    told = round(shape.position(number) * 127) / 127
    assert shape.value(told) == number


def test_a_switch_is_on_in_the_upper_half() -> None:
    assert [Shape(ON, 0, 1).value(position) for position in (0.0, 0.49, 0.5, 1.0)] == [False, False, True, True]
    assert [Shape(ON, 1, 0).value(position) for position in (0.0, 1.0)] == [True, False]
    assert Shape(ON, 1, 0).position(True) == 0.0


def test_a_value_beyond_the_range_of_a_control_is_at_its_nearer_end() -> None:
    assert (Shape(LEVEL, 0.2, 0.4).position(2.0), Shape(LEVEL, 0.4, 0.2).position(2.0)) == (1.0, 0.0)
    assert Shape(LEVEL, 0.3, 0.3).position(0.5) == 0.0
