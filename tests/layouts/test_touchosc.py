"""The layout of TouchOSC: a file that it reads, messages that the show takes, and feedback that moves it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import osc_schema
from osc_schema import Value
from streamvace.control.coercion import coerce
from streamvace.control.commands import Commands
from streamvace.control.cue_list import CueList
from streamvace.control.cues import Cue
from streamvace.control.parameters import Parameters
from streamvace.layouts.pages import CUES, pages
from streamvace.layouts.touchosc import layout
from streamvace.osc.codec import decode, encode_message
from streamvace.osc.inbox import Inbox
from tests.control.coerced import coerced
from tests.layouts.gear import Sender, name_of, properties, root_of, senders, text
from tests.real_parts import require_package

ROOT = root_of(layout(pages(), 9000))
SENDERS = list(senders(ROOT))


def show() -> Inbox:
    """The inbox of a show with one cue."""
    parameters = Parameters()
    cues = CueList((Cue("dusk", coerced({"/streamvace/seed": 1})),))
    return Inbox(parameters, commands=Commands(parameters, cues))


def holds_a_value(sender: Sender) -> bool:
    """Whether its message sets a parameter, or recalls a cue."""
    return osc_schema.by_address()[sender.address].type != "trigger" or sender.address == "/streamvace/cue/recall"


def ids(sender: Sender) -> str:
    return name_of(sender.node)


def test_the_same_pages_give_the_same_file() -> None:
    assert layout(pages(), 9000) == layout(pages(), 9000)


def test_a_library_of_the_format_finds_nothing_wrong(tmp_path: Path) -> None:
    require_package("py2tosc", "pip install py2tosc")
    import py2tosc

    (tmp_path / "made.tosc").write_bytes(layout(pages(), 9000))
    document = py2tosc.load(str(tmp_path / "made.tosc"))
    assert [str(issue) for issue in document.validate()] == []
    assert [page.get("tabLabel") for page in document.root.children[0].children] == [page.name for page in pages()]


def test_every_node_has_an_id_and_a_name_of_its_own() -> None:
    """Scripts find nodes by their names."""
    nodes = list(ROOT.iter("node"))
    assert len({node.get("ID") for node in nodes}) == len({name_of(node) for node in nodes}) == len(nodes) > 300


def test_no_node_leaves_the_one_that_it_is_in() -> None:
    def size(node: object) -> tuple[float, ...]:
        frame = properties(node)["frame"]  # type: ignore[arg-type]
        return tuple(float(text(frame, side)) for side in "xywh")

    for node in ROOT.iter("node"):
        _, _, width, height = size(node)
        for child in node.findall("children/node"):
            x, y, w, h = size(child)
            assert x >= 0, name_of(child)
            assert y >= 0, name_of(child)
            assert x + w <= width, name_of(child)
            assert y + h <= height, name_of(child)


@pytest.mark.parametrize("sender", SENDERS, ids=ids)
def test_the_show_takes_every_message_at_every_position(sender: Sender) -> None:
    row = osc_schema.by_address()[sender.address]
    for x in (1.0,) if sender.presses else (0.0, 0.37, 1.0):
        assert coerce(row, sender.arguments(x, "dusk")).status == "set"


@pytest.mark.parametrize("sender", [each for each in SENDERS if holds_a_value(each)], ids=ids)
def test_every_message_of_a_fader_a_switch_or_a_cue_arrives(sender: Sender) -> None:
    """Whether an action can be done depends on the show; a value always can be set, and a cue recalled."""
    inbox = show()
    inbox.take(encode_message(sender.address, *sender.arguments(0.37, "dusk")), ("127.0.0.1", 5000))
    outcome = inbox.flush()
    assert outcome.complaints == {}
    assert outcome.results
    assert inbox.counters.unknown == inbox.counters.clamped == inbox.counters.refused == 0


@pytest.mark.parametrize("sender", [each for each in SENDERS if each.hears], ids=ids)
def test_a_control_goes_where_the_feedback_says(sender: Sender) -> None:
    row = osc_schema.by_address()[sender.address]
    kind = {"bool": bool, "int": int, "float": float}[row.type]
    ends: tuple[Value, ...] = tuple(map(kind, (row.minimum or 0, row.maximum or 1)))
    for x, value in zip((0.0, 1.0), ends, strict=True):
        (message,) = decode(encode_message(row.address, value))
        (argument,) = message.arguments
        assert isinstance(argument, (bool, int, float))
        assert sender.position(float(argument)) == pytest.approx(x, abs=1e-6)
        assert sender.arguments(x) == (value,)
        assert type(sender.arguments(x)[0]) is type(value)


def test_faders_and_switches_hear_and_buttons_do_not() -> None:
    """A button that heard itself would be held down by the feedback of its own press."""
    kinds = {(sender.node.get("type"), sender.hears, sender.presses) for sender in SENDERS}
    assert kinds == {("FADER", True, False), ("BUTTON", True, False), ("BUTTON", False, True)}


def test_a_choice_has_a_button_for_each_value() -> None:
    sent = [sender.arguments(1.0)[0] for sender in SENDERS if sender.address == "/streamvace/control_kind"]
    assert tuple(sent) == osc_schema.by_address()["/streamvace/control_kind"].choices


def test_a_cue_is_recalled_by_the_name_that_the_script_writes() -> None:
    recalls = [sender for sender in SENDERS if sender.address == "/streamvace/cue/recall"]
    assert len(recalls) == CUES
    assert all(sender.arguments(1.0, "dusk") == ("dusk",) for sender in recalls)


def test_captions_and_scripts_hold_what_the_schema_says() -> None:
    by_name: Mapping[str, object] = {name_of(node): node for node in ROOT.iter("node")}
    caption = by_name["/streamvace/output/hue caption"]
    assert text(caption, "values/value/default") == "Hue shift"  # type: ignore[arg-type]
    fader = properties(by_name["/streamvace/output/hue"])["script"].text or ""  # type: ignore[arg-type]
    assert "local LOW = -180\nlocal HIGH = 180\n" in fader
    assert 'local FORMAT = "%.1f degrees"\n' in fader


def test_the_script_of_the_layout_knows_the_port_where_it_receives() -> None:
    script = properties(root_of(layout(pages(), 9123)))["script"].text or ""
    assert script.startswith("local PORT = 9123\n")
