"""The pages that a performer gets."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

import osc_schema
from streamvace.layouts.flow import columns
from streamvace.layouts.pages import CUES, FADERS, pages
from streamvace.layouts.parts import HEIGHT, WIDTH, Frame, Page

SMALLEST = 30
"""Points: what a finger still hits."""


@pytest.fixture(params=pages(), ids=lambda page: page.name)
def page(request: pytest.FixtureRequest) -> Page:
    found: Page = request.param
    return found


def test_no_part_covers_another_or_leaves_the_page(page: Page) -> None:
    for one, other in combinations(page.parts, 2):
        assert not one.frame.overlaps(other.frame), (one.key, other.key)
    for part in page.parts:
        x, y, w, h = part.frame
        assert x >= 0, part.key
        assert y >= 0, part.key
        assert x + w <= WIDTH, part.key
        assert y + h <= HEIGHT, part.key


def test_every_part_is_large_enough_for_a_finger(page: Page) -> None:
    assert all(min(part.frame.w, part.frame.h) >= SMALLEST for part in page.parts)


def test_frames_that_share_an_edge_do_not_overlap() -> None:
    assert not Frame(0, 0, 10, 10).overlaps(Frame(10, 0, 10, 10))
    assert not Frame(0, 0, 10, 10).overlaps(Frame(0, 10, 10, 10))
    assert Frame(0, 0, 10, 10).overlaps(Frame(9, 9, 10, 10))


def test_no_parameter_is_on_two_pages() -> None:
    """A surface is not told of its own changes: the second fader would stay behind."""
    keys = [part.key for each in pages() for part in each.parts]
    assert len(keys) == len(set(keys))


def is_typed(name: str) -> bool:
    row = osc_schema.by_address()[f"/streamvace/{name}"]
    return row.type == "string" and row.access == "write"


def test_nothing_ends_the_show_loads_a_model_or_names_a_file() -> None:
    rows = [part.row for each in pages() for part in each.parts if part.row is not None]
    names = {row.name for row in rows}
    assert not names & {"quit", "model/reload", "record_file", "pipeline", "latency", "cue/load", "first_frame"}
    assert {name for name in names if is_typed(name)} == {"prompt", *(f"mod/{i}/target" for i in range(1, 5))}
    assert not [row.name for row in rows if row.applies == "reload"]


def test_the_stage_has_what_is_played_blind() -> None:
    stage = pages()[0]
    names = {part.row.name for part in stage.parts if part.row is not None}
    assert {"cue/go", "cue/back", "blackout", "freeze", "tempo/tap", *FADERS} <= names
    assert sum(part.kind == "cue" for part in stage.parts) == CUES
    assert {part.kind for part in stage.parts} >= {"take", "prompt", "mix"}


def test_every_basic_number_switch_and_choice_of_the_picture_is_on_a_page() -> None:
    groups = {"picture", "control", "signals", "mask", "outpainting", "output", "style", "modulators"}
    wanted = {
        row.address
        for row in osc_schema.load()
        if row.group in groups and row.level == "basic" and row.type in ("float", "int", "bool", "choice")
    }
    assert wanted <= {part.address for each in pages() for part in each.parts}


def test_there_is_a_column_for_each_modulator() -> None:
    page = next(each for each in pages() if each.name == "Modulators")
    by_number: dict[int, set[int]] = {}
    for part in page.parts:
        assert part.row is not None
        by_number.setdefault(part.row.number, set()).add(part.frame.x // 250)
    assert sorted(by_number) == [1, 2, 3, 4]
    assert len(set.union(*by_number.values())) == sum(map(len, by_number.values())) == 4


def test_a_choice_of_more_values_than_a_page_holds_is_refused() -> None:
    row = osc_schema.by_address()["/streamvace/control_kind"]
    with pytest.raises(ValueError, match="1 lines from /streamvace/control_kind on do not fit"):
        columns([[replace(row, choices=tuple(f"v{i}" for i in range(200)))]], 2, ["#ffffff"])


def test_more_parameters_than_a_page_holds_are_refused() -> None:
    rows = [row for row in osc_schema.load() if row.type == "float" and row.access == "write"]
    with pytest.raises(ValueError, match="do not fit into 1 columns"):
        columns([rows], 1, ["#ffffff"])
