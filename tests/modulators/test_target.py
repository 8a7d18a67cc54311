"""What a modulator moves, and how far."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import osc_schema
from streamvace.modulators.target import find_target, moved
from streamvace.system.errors import UserError

SCHEMA = osc_schema.by_address()
TARGETS = [row for row in SCHEMA.values() if row.shapes_picture and row.type in ("float", "int") and not row.family]


def test_every_number_that_shapes_the_picture_is_a_target_with_or_without_the_prefix() -> None:
    assert {"/streamvace/context_scale", "/streamvace/output/zoom", "/streamvace/mask/grow"} <= {
        row.address for row in TARGETS
    }
    for row in TARGETS:
        assert find_target(row.address, SCHEMA) is find_target(f" {row.name} ", SCHEMA) is row


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "got ''"),
        ("output/zoomm", "got 'output/zoomm'"),
        ("prompt", "prompt is not"),
        ("mask_source", "mask_source is not"),
        ("output_rate", "output_rate is not"),
        ("status/fps", "status/fps is not"),
        ("mod/1/high", "mod/1/high belongs to a modulator, and a modulator moves no modulator"),
        ("/streamvace/mod/2/rate", "mod/2/rate belongs to a modulator"),
    ],
)
def test_anything_else_is_refused_in_one_line(text: str, why: str) -> None:
    with pytest.raises(UserError) as caught:
        find_target(text, SCHEMA)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


@given(data=st.data(), amount=st.floats(-4, 4))
def test_a_moved_value_has_the_type_and_the_limits_of_its_row(data: st.DataObject, amount: float) -> None:
    row = data.draw(st.sampled_from(TARGETS))
    low, high = row.minimum, row.maximum
    assert low is not None
    assert high is not None
    base = data.draw(st.integers(int(low), int(high)) if row.type == "int" else st.floats(low, high))
    value = moved(row, base, amount)
    assert type(value) is (int if row.type == "int" else float)
    assert low <= value <= high  # type: ignore[operator]
    assert moved(row, base, 0.0) == base


def test_amounts_are_parts_of_the_faders_way() -> None:
    scale, zoom = SCHEMA["/streamvace/context_scale"], SCHEMA["/streamvace/output/zoom"]
    assert moved(scale, 0.5, 0.25) == 1.0, "a quarter of 0..2"
    assert moved(scale, 0.5, -1.0) == 0.0
    assert moved(zoom, 1.0, 1 / 3) == pytest.approx(2.0), "an octave of three"
    assert moved(zoom, 2.0, -1 / 3) == pytest.approx(1.0)
    assert moved(SCHEMA["/streamvace/mask/grow"], 0, 0.1) == round(
        0.1 * (SCHEMA["/streamvace/mask/grow"].maximum - SCHEMA["/streamvace/mask/grow"].minimum)  # type: ignore[operator]
    )
