"""Taps: when a tempo is shown, when it counts, and what a slip does."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.control.tap import Taps


def tapped(*times: float) -> Taps:
    taps = Taps()
    for when in times:
        taps.tap(when)
    return taps


def test_a_tempo_is_shown_after_two_taps_and_locked_after_four() -> None:
    assert tapped(1.0).shown == 0.0
    assert tapped(1.0, 1.5).shown == pytest.approx(120)
    assert tapped(1.0, 1.5, 2.0).locked is None
    locked = tapped(1.0, 1.5, 2.0, 2.5).locked
    assert locked is not None
    assert (locked.tempo, locked.at, locked.beat) == pytest.approx((120.0, 2.5, 3.0))


@given(st.floats(34, 270), st.integers(0, 2**16))
def test_taps_that_are_a_little_off_give_the_tempo_and_the_beat(bpm: float, seed: int) -> None:
    hand, period = random.Random(seed), 60 / bpm
    off = 0.05 * period
    locked = tapped(*(10 + number * period + hand.uniform(-off, off) for number in range(12))).locked
    assert locked is not None
    assert locked.tempo == pytest.approx(bpm, rel=0.02)
    # At its end, a line through twelve points moves by up to 1.6 times what each of them is off.
    assert locked.at == pytest.approx(10 + 11 * period, abs=1.6 * off)


def test_a_tap_off_by_more_than_30_percent_does_not_count() -> None:
    taps = tapped(0.0, 0.5, 1.0, 1.5)
    assert not taps.tap(1.83)
    assert taps.tap(2.0)
    assert taps.shown == pytest.approx(120, rel=1e-6)


def test_after_a_pause_of_two_seconds_the_taps_begin_anew() -> None:
    taps = tapped(0.0, 0.5, 1.0, 1.5, 3.51)
    assert (taps.count, taps.locked) == (1, None)
    assert tapped(0.0, 2.0).shown == pytest.approx(30)


def test_a_bounce_is_no_tap() -> None:
    assert tapped(0.0, 0.05, 0.5, 1.0, 1.5).shown == pytest.approx(120)


def test_another_tempo_begins_anew_after_three_slips() -> None:
    taps = tapped(0.0, 0.5, 1.0, 1.5, 2.5, 3.5, 4.5, 5.5)
    assert taps.shown == pytest.approx(60)
