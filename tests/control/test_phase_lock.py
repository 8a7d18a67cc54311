"""The pulse behind ticks that jitter: where it is, and how soon it follows another tempo."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamvace.control.phase_lock import PhaseLock

TICKS = 24


def played(
    lock: PhaseLock, beats: int, bpm: float, start: float, jitter: float, seed: int
) -> tuple[float, list[float]]:
    """Ticks of so many beats; the time after them, and the error of each position half-way to the next tick, in s."""
    period, hand = 60 / bpm / TICKS, random.Random(seed)
    first, errors = lock.ticks, []
    for number in range(beats * TICKS):
        due = start + number * period
        lock.tick(due + hand.uniform(-jitter, jitter))
        errors.append((lock.position(due + period / 2) - (first + number + 0.5)) * period)
    return start + beats * TICKS * period, errors


@settings(max_examples=12)
@given(st.floats(20, 300), st.integers(0, 2**16))
def test_a_steady_clock_with_three_milliseconds_of_jitter_is_followed_to_less_than_two(bpm: float, seed: int) -> None:
    _, errors = played(PhaseLock(0.02), 24, bpm, 5.0, 0.003, seed)
    settled = sorted(map(abs, errors[4 * TICKS :]))
    assert settled[int(0.95 * len(settled))] < 0.002


@settings(max_examples=12)
@given(st.floats(40, 200), st.floats(0.6, 1.6), st.floats(0, 0.003), st.integers(0, 2**16))
def test_a_step_of_the_tempo_is_followed_within_two_beats(bpm: float, factor: float, jitter: float, seed: int) -> None:
    lock = PhaseLock(0.02)
    after, _ = played(lock, 12, bpm, 0.0, jitter, seed)
    _, errors = played(lock, 4, bpm * factor, after, jitter, seed + 1)
    settled = sorted(map(abs, errors[2 * TICKS :]))
    assert settled[int(0.95 * len(settled))] < 0.006
    assert settled[-1] < 0.02, "even where chance makes the loop begin once more, no beat is heard twice"
    assert 60 / TICKS / lock.period_s == pytest.approx(bpm * factor, rel=0.01)


def test_two_ticks_are_enough_for_a_tempo() -> None:
    lock = PhaseLock(0.5)
    lock.tick(1.0)
    assert (lock.position(1.25), lock.period_s) == (0.5, 0.5)
    lock.tick(1.02)
    assert lock.period_s == pytest.approx(0.02)
    assert lock.position(1.03) == pytest.approx(1.5)


def test_one_late_tick_moves_nothing_by_more_than_a_twentieth() -> None:
    lock = PhaseLock(0.02)
    after, _ = played(lock, 40, 120.0, 0.0, 0.0, 1)
    lock.tick(after + 0.015)
    period = 60 / 120 / TICKS
    assert lock.position(after + period) == pytest.approx(40 * TICKS + 1, abs=0.05)


def test_a_loop_that_begins_anew_keeps_its_period() -> None:
    lock = PhaseLock(0.02)
    played(lock, 2, 90.0, 0.0, 0.0, 1)
    lock.restart()
    lock.tick(100.0)
    assert lock.position(100.0 + 60 / 90 / TICKS) == pytest.approx(1.0)
