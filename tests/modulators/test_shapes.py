"""The shapes of a cycle."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import osc_schema
from streamvace.modulators.settings import address
from streamvace.modulators.shapes import SHAPES, noise

TURNS = st.floats(-1e6, 1e6)
SEEDS = st.integers(1, 4)


def test_the_schema_offers_every_shape_and_no_other() -> None:
    assert osc_schema.by_address()[address(1, "shape")].choices == tuple(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
@given(turns=TURNS, seed=SEEDS)
def test_a_shape_stays_between_0_and_1_and_is_always_the_same(name: str, turns: float, seed: int) -> None:
    value = SHAPES[name](turns, seed)
    assert -1e-9 <= value <= 1 + 1e-9
    assert SHAPES[name](turns, seed) == value


@pytest.mark.parametrize("name", ["sine", "triangle", "saw_up", "saw_down", "square", "decay"])
@given(turns=st.floats(0, 1, exclude_max=True), cycles=st.integers(-1000, 1000))
def test_a_regular_shape_is_the_same_in_every_cycle(name: str, turns: float, cycles: int) -> None:
    near_a_step = min(turns % 0.5, 0.5 - turns % 0.5) < 1e-6
    assert near_a_step or SHAPES[name](turns + cycles, 1) == pytest.approx(SHAPES[name](turns, 1), abs=1e-6)


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("sine", [0.0, 0.5, 1.0, 0.5]),
        ("triangle", [0.0, 0.5, 1.0, 0.5]),
        ("saw_up", [0.0, 0.25, 0.5, 0.75]),
        ("saw_down", [1.0, 0.75, 0.5, 0.25]),
        ("square", [1.0, 1.0, 0.0, 0.0]),
    ],
)
def test_where_a_shape_is_at_the_quarters_of_a_cycle(name: str, points: list[float]) -> None:
    assert [SHAPES[name](quarter / 4, 1) for quarter in range(4)] == pytest.approx(points)


def test_a_decay_begins_at_1_halves_evenly_and_ends_at_0() -> None:
    decay = SHAPES["decay"]
    assert decay(0.0, 1) == 1.0
    assert decay(0.999999, 1) == pytest.approx(0.0, abs=1e-5)
    ratios = [(decay(t + 0.1, 1) + 0.00678) / (decay(t, 1) + 0.00678) for t in (0.1, 0.3, 0.5)]
    assert ratios == pytest.approx([math.exp(-0.5)] * 3, rel=1e-3)


@given(cycle=st.integers(-1000, 1000), share=st.floats(0, 0.999), seed=SEEDS)
def test_random_steps_hold_for_a_cycle_and_differ_from_cycle_to_cycle(cycle: int, share: float, seed: int) -> None:
    steps = SHAPES["random_steps"]
    assert steps(cycle + share, seed) == steps(cycle, seed) != steps(cycle + 1, seed)


@given(turns=st.floats(-1000, 1000), seed=SEEDS)
def test_smooth_random_goes_through_the_steps_and_never_jumps(turns: float, seed: int) -> None:
    smooth, cycle = SHAPES["random_smooth"], math.floor(turns)
    assert smooth(cycle, seed) == pytest.approx(noise(seed, cycle))
    assert abs(smooth(turns + 1e-3, seed) - smooth(turns, seed)) <= 1.5e-3 + 1e-9


def test_random_numbers_are_even_and_those_of_two_modulators_are_unlike() -> None:
    first, second = ([noise(seed, cycle) for cycle in range(4000)] for seed in (1, 2))
    assert sum(first) / 4000 == pytest.approx(0.5, abs=0.02)
    assert sorted(first)[1000] == pytest.approx(0.25, abs=0.03)
    product = sum((a - 0.5) * (b - 0.5) for a, b in zip(first, second, strict=True)) / 4000 * 12
    assert abs(product) < 0.05
    assert noise(1, 0) == pytest.approx(0.8833108082136426), "the same in every show and on every machine"
