"""Attack and release."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.modulators.slew import Slew


def test_it_rises_in_its_attack_and_falls_in_its_release() -> None:
    slew = Slew()
    slew.to(10.0, lambda when: 0.0, 0.5, 2.0)
    up = [slew.to(10.0 + step / 10, lambda when: 1.0, 0.5, 2.0) for step in range(1, 7)]
    assert up == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])
    assert slew.to(11.6, lambda when: 0.0, 0.5, 2.0) == pytest.approx(0.5)


def test_without_either_it_is_what_it_follows() -> None:
    slew = Slew()
    assert slew.to(0.0, lambda when: 0.3, 0.0, 0.0) == 0.3
    assert slew.to(0.1, lambda when: when, 0.0, 0.0) == 0.1


@given(moments=st.lists(st.floats(0, 3), min_size=1, max_size=12).map(sorted))
def test_how_often_it_is_read_makes_hardly_a_difference(moments: list[float]) -> None:
    def follows(when: float) -> float:
        return float(when % 0.8 < 0.4)

    often, seldom = Slew(), Slew()
    for tick in range(361):
        last = often.to(tick / 120, follows, 0.3, 0.6)
    for moment in moments:
        seldom.to(moment, follows, 0.3, 0.6)
    assert seldom.to(3.0, follows, 0.3, 0.6) == pytest.approx(last, abs=0.06)


def test_after_a_long_pause_or_when_time_goes_back_it_begins_anew_without_a_jump_to_nowhere() -> None:
    slew = Slew()
    slew.to(0.0, lambda when: 0.0, 1.0, 1.0)
    assert slew.to(1000.0, lambda when: 1.0, 1.0, 1.0) == 1.0
    assert slew.to(5.0, lambda when: 0.25, 1.0, 1.0) == 0.25
