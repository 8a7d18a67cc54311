"""A curve over the context blocks of any pipeline."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import osc_schema
from streamvace.live.director.block_curve import CURVES, block_scales


def test_the_schema_offers_exactly_these_curves() -> None:
    assert osc_schema.by_address()["/streamvace/block_curve"].choices == tuple(CURVES)


@pytest.mark.parametrize(
    ("curve", "scales"),
    [("early", (1, 0.5, 0)), ("late", (0, 0.5, 1)), ("middle", (0, 1, 0)), ("ends", (1, 0, 1)), ("flat", ())],
)
def test_a_curve_says_where_the_control_acts(curve: str, scales: tuple[float, ...]) -> None:
    assert block_scales(curve, 1.0, 3) == pytest.approx(scales)


@given(st.sampled_from(sorted(CURVES)), st.floats(0, 1), st.integers(1, 40))
def test_there_is_one_factor_a_block_from_none_to_all_or_none_at_all(curve: str, contrast: float, blocks: int) -> None:
    scales = block_scales(curve, contrast, blocks)
    assert len(scales) == (0 if curve == "flat" or contrast == 0 else blocks)
    assert all(1 - contrast - 1e-9 <= scale <= 1 + 1e-9 for scale in scales)
