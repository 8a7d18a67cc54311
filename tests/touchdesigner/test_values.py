"""Values convert between TouchDesigner parameters and messages without loss, for every row of the address space."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamvace_td.osc_packet import Arguments
from streamvace_td.values import from_osc, from_par, to_par

import osc_schema
from osc_schema import Parameter
from streamvace.control.coercion import coerce
from tests.osc.lists import STRINGS, WEIGHTED

ROWS = [*osc_schema.load(), STRINGS, WEIGHTED]
VALUES = [row for row in ROWS if row.type != "trigger"]
TEXT = st.text(st.characters(exclude_characters="\0|=", exclude_categories=["Cs", "Zs", "Cc"]), min_size=1, max_size=20)


def arguments_for(row: Parameter) -> st.SearchStrategy[Arguments]:
    low, high = (row.minimum or 0.0), (row.maximum if row.maximum is not None else 1e6)
    number = st.floats(low, high).map(lambda value: coerce_f32(value))
    kinds: dict[str, st.SearchStrategy[Arguments]] = {
        "float": st.tuples(number),
        "int": st.tuples(st.integers(int(low), int(high))),
        "bool": st.tuples(st.booleans()),
        "string": st.tuples(TEXT),
        "choice": st.tuples(st.sampled_from(row.choices or ("",))),
        "strings": st.lists(TEXT, max_size=max(row.max_items, 1)).map(lambda texts: tuple(texts) or ("",)),
        "weighted": st.lists(st.tuples(TEXT, number), max_size=max(row.max_items, 1)).map(
            lambda pairs: tuple(part for pair in pairs for part in pair) or ("",)
        ),
    }
    return kinds[row.type]


def coerce_f32(value: float) -> float:
    import struct

    rounded: float = struct.unpack(">f", struct.pack(">f", value))[0]
    return rounded


@settings(max_examples=25)  # of each of a hundred rows
@given(st.data())
@pytest.mark.parametrize("row", VALUES, ids=lambda row: row.name)
def test_a_shown_value_converts_back_to_the_same_arguments(row: Parameter, data: st.DataObject) -> None:
    """Otherwise every received value would be sent back."""
    arguments = from_osc(row, data.draw(arguments_for(row)))
    assert arguments is not None
    assert from_par(row, to_par(row, arguments)) == arguments


@pytest.mark.parametrize("row", [row for row in VALUES if row.access == "write"], ids=lambda row: row.name)
def test_the_default_is_accepted_by_the_process(row: Parameter) -> None:
    assert row.default is not None
    sent = from_osc(row, osc_schema.flat(row.default))
    assert sent is not None
    checked = coerce(row, sent)
    assert checked.status == "set"
    assert osc_schema.flat(checked.value) == pytest.approx(osc_schema.flat(row.default))  # type: ignore[arg-type]


def test_a_float_is_shown_short() -> None:
    row = osc_schema.by_address()["/streamvace/noise_scale"]
    assert to_par(row, (coerce_f32(0.7),)) == 0.7
    assert to_par(row, (coerce_f32(1 / 3),)) == pytest.approx(1 / 3, rel=1e-7)


def test_lists_have_a_readable_form() -> None:
    names, mix = STRINGS, WEIGHTED
    assert from_par(names, " a.png |b.png| ") == ("a.png", "b.png")
    assert from_par(names, "  ") == ("",)
    assert to_par(names, ("a.png", "b.png")) == "a.png | b.png"
    assert from_par(mix, "red glass=0.5 | blue | a=b") == ("red glass", 0.5, "blue", 1.0, "a=b", 1.0)
    assert to_par(mix, ("red glass", 0.5, "blue", 1.0)) == "red glass=0.5 | blue=1"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("seed", ()),
        ("seed", ("seven",)),
        ("seed", (1, 2)),
        ("context_scale", (math.nan,)),
        ("hold_mode", ("backwards",)),
        ("hold_mode", (1,)),
        ("prompt", (3,)),
    ],
)
def test_invalid_arguments_are_rejected(name: str, arguments: Arguments) -> None:
    assert from_osc(osc_schema.by_address()[f"/streamvace/{name}"], arguments) is None
