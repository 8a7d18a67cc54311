"""The session of Open Stage Control."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import osc_schema
from streamvace.control.coercion import coerce
from streamvace.layouts.open_stage import session
from streamvace.layouts.pages import CUES, pages

DOCUMENT = json.loads(session(pages()))
WIDGETS: list[dict[str, Any]] = [widget for tab in DOCUMENT["content"]["tabs"] for widget in tab["widgets"]]
SENDING = [
    widget for widget in WIDGETS if "address" in widget and not widget.get("bypass") and widget["type"] != "text"
]


def sent(widget: dict[str, Any]) -> Iterator[Any]:
    """The values that a widget can send."""
    if widget["type"] == "fader":
        yield from widget["range"].values()
    elif widget["type"] == "switch":
        yield from widget["values"]["values"]
    elif widget["type"] == "input":
        yield "output/hue"
    else:
        yield from (widget[key] for key in ("on", "off") if key in widget)


def test_a_tab_for_each_page() -> None:
    assert [tab["label"] for tab in DOCUMENT["content"]["tabs"]] == [page.name for page in pages()]
    assert DOCUMENT["type"] == "session"


def test_every_widget_has_an_id_of_its_own() -> None:
    ids = [widget["id"] for widget in WIDGETS]
    assert len(ids) == len(set(ids)) > 100


@pytest.mark.parametrize("widget", SENDING, ids=lambda widget: widget["id"])
def test_the_show_takes_what_a_widget_sends(widget: dict[str, Any]) -> None:
    row = osc_schema.by_address()[widget["address"]]
    values = list(sent(widget))
    assert values
    for value in values:
        assert coerce(row, (value,)).status == "set" or value is False


@pytest.mark.parametrize(
    "widget", [each for each in SENDING if each["type"] in ("fader", "switch")], ids=lambda w: w["id"]
)
def test_a_widget_finds_the_feedback_in_its_range(widget: dict[str, Any]) -> None:
    row = osc_schema.by_address()[widget["address"]]
    if widget["type"] == "fader":
        assert widget["range"] == {"min": row.minimum, "max": row.maximum}
        assert widget["logScale"] == (row.scale == "log")
        assert widget["typeTags"] == {"float": "f", "int": "i"}[row.type]
    else:
        assert tuple(widget["values"]["values"]) == row.choices


def test_every_value_that_a_script_writes_has_a_widget_that_reads_it() -> None:
    """The names of the cues and their tints are variables of the buttons."""
    buttons = [widget for widget in WIDGETS if widget.get("address") == "/streamvace/cue/recall"]
    assert [widget["id"] for widget in buttons] == [f"cue {i}" for i in range(1, CUES + 1)]
    assert all("VAR{name" in widget["label"] and "VAR{tint" in widget["colorWidget"] for widget in buttons)
    watching = [widget for widget in WIDGETS if widget["type"] == "variable" and "onValue" in widget]
    known = osc_schema.by_address()
    assert all(known[widget["address"]].access == "read" for widget in watching)
    assert all("setVar('cue ' + i, 'name'" in widget["onValue"] for widget in watching)


def test_the_session_subscribes_when_it_opens_and_from_time_to_time() -> None:
    script = DOCUMENT["content"]["onCreate"]
    assert script.index("/streamvace/subscribe") < script.index("/streamvace/sync")
    assert "setInterval" in script
