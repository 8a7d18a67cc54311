"""An allowance lets a burst pass and a rate, whatever the pattern in time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streamvace.system.allowance import Allowance


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 8)), max_size=60), st.floats(1, 10), st.floats(0.1, 5))
def test_never_more_leaves_than_the_burst_and_the_rate(
    asked: list[tuple[float, float]], most: float, rate: float
) -> None:
    allowance, now, taken = Allowance(most, rate), 100.0, 0.0
    for pause, amount in asked:
        now += pause
        before = allowance.left(now)
        granted = allowance.take(now, amount)
        assert granted == (amount <= before)
        taken += amount if granted else 0
        assert taken <= most + (now - 100.0) * rate + 1e-6


def test_after_a_pause_it_is_full_again_and_never_fuller() -> None:
    allowance = Allowance(3, 1)
    assert [allowance.take(0) for _ in range(4)] == [True, True, True, False]
    assert not allowance.full(2)
    assert allowance.full(3)
    assert allowance.left(1000) == 3
