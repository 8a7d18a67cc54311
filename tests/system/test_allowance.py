"""An allowance lets a burst pass and a rate, whatever the pattern in time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streamvace.system.allowance import Allowance, Allowances


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


def test_each_name_has_its_own_and_a_flood_of_names_shares_one() -> None:
    allowances = Allowances(3, 1, most_names=10)
    assert allowances.of("desk", 0).take(0, 2)
    for number in range(1000):
        allowances.of(f"forged {number}", 0).take(0)
    assert len(allowances._by_name) == 10
    assert not allowances.of("forged 1000", 0).take(0), "the shared one is used up"
    assert allowances.of("desk", 0).left(0) == 1
    assert allowances.of("new", 60).take(60, 3), "those that are full again have made room"
