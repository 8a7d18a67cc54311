"""Lists over the wire: what is taken, what is clamped, and that a bad message changes nothing."""

from __future__ import annotations

import ast
import math
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import osc_schema
import streamvace
from streamvace.control.coercion import coerce
from tests.osc.lists import STRINGS, WEIGHTED


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        (("red",), ("red",)),
        (("red", "blue glass"), ("red", "blue glass")),
        ((("red", "blue"),), ("red", "blue")),
        (("red", "", "blue", "", ""), ("red", "blue")),
        (("",), ()),
        (((),), ()),
    ],
)
def test_texts_come_loose_or_as_an_array_and_empty_ones_are_left_out(
    sent: tuple[object, ...], held: tuple[str, ...] | None
) -> None:
    assert coerce(STRINGS, sent).value == held


@pytest.mark.parametrize(
    ("sent", "held"),
    [
        (("red", 0.25, "blue", 0.75), (("red", 0.25), ("blue", 0.75))),
        (("red", "blue", 0.5), (("red", 1.0), ("blue", 0.5))),
        (("red", 1, "blue", 0), (("red", 1.0), ("blue", 0.0))),
        ((("red", 0.25, "blue", 0.75),), (("red", 0.25), ("blue", 0.75))),
        (((("red", 0.25), ("blue", 0.75)),), (("red", 0.25), ("blue", 0.75))),
        (("", 0.5, "blue", 0.75), (("blue", 0.75),)),
    ],
)
def test_a_weight_follows_its_text_and_is_one_where_there_is_none(sent: tuple[object, ...], held: object) -> None:
    coerced = coerce(WEIGHTED, sent)
    assert (coerced.status, coerced.value) == ("set", held)


def test_a_weight_out_of_range_is_clamped_and_said() -> None:
    coerced = coerce(WEIGHTED, ("red", 3.0, "blue", 10**400))
    assert (coerced.status, coerced.value) == ("clamped", (("red", 1.0), ("blue", 1.0)))
    assert "limited to 1 (range 0-1), got a huge number" in coerced.line


def test_a_number_out_of_range_is_said_with_the_limit_and_the_range() -> None:
    low = replace(WEIGHTED, address="/x/low", type="float", minimum=-2.0, maximum=0.5)
    assert coerce(low, (9,)).line == "/x/low: limited to 0.5 (range -2 to 0.5), got 9"
    choice = replace(WEIGHTED, address="/x/kind", type="choice", choices=("raw", "edges"))
    assert coerce(choice, (7,)).line == "/x/kind: limited to 'edges' (range 0-1), got 7"


def test_an_end_of_a_range_is_in_it_as_osc_carries_it() -> None:
    low = replace(WEIGHTED, address="/x/low", type="float", minimum=0.01, maximum=1.0)
    (sent,) = struct.unpack("f", struct.pack("f", 0.01))
    assert sent < 0.01
    assert coerce(low, (sent,)) == ("/x/low", "set", 0.01, "")
    assert coerce(low, (0.00999,)).status == "clamped"


@pytest.mark.parametrize(
    ("row", "sent"),
    [
        (STRINGS, (1.0,)),
        (STRINGS, ("red", 1.0)),
        (STRINGS, ("a", "b", "c", "d")),
        (STRINGS, ("x" * 21,)),
        (STRINGS, ("a\0b",)),
        (STRINGS, ("half a pair \ud83d",)),
        (STRINGS, ()),
        (WEIGHTED, (0.5, "red")),
        (WEIGHTED, ("red", 0.5, 0.5)),
        (WEIGHTED, ("red", math.nan)),
        (WEIGHTED, ("red", True)),
        (WEIGHTED, ("red", None)),
        (WEIGHTED, ("red", b"x")),
        (WEIGHTED, ("a", 1, "b", 1, "c", 1, "d", 1)),
    ],
)
def test_what_cannot_be_taken_whole_is_refused_whole(row: osc_schema.Parameter, sent: tuple[object, ...]) -> None:
    coerced = coerce(row, sent)
    assert (coerced.status, coerced.value) == ("refused", None)
    assert coerced.line.startswith(f"{row.address}: takes up to 3 strings of at most 20 characters")
    assert "\n" not in coerced.line


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4).map(tuple),
)


@given(st.sampled_from([STRINGS, WEIGHTED]), st.lists(anything, max_size=8))
def test_whatever_comes_is_held_within_the_limits_and_comes_back_the_same(
    row: osc_schema.Parameter, sent: list[object]
) -> None:
    value = coerce(row, tuple(sent)).value
    if value is None:
        return
    assert isinstance(value, tuple)
    assert len(value) <= 3
    for item in value:
        text, weight = (item, 1.0) if isinstance(item, str) else item
        assert 1 <= len(text) <= 20
        assert 0 <= weight <= 1
    assert coerce(row, osc_schema.flat(value)).value == value, "a desk that echoes must not change it"


def test_only_the_coercion_and_the_store_make_a_coerced_value() -> None:
    """Whoever holds one holds a valid value, so the store takes nothing else."""
    package = Path(streamvace.__file__).parent
    makers = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Coerced"
    }
    assert {maker.replace("\\", "/") for maker in makers} == {"control/coercion.py", "control/parameters.py"}
