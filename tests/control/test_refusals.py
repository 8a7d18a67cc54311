"""What is refused is bound to its parameter, with the value that rules, the reason and the fix."""

from __future__ import annotations

import pytest

from streamvace.control.parameters import Change, Parameters
from streamvace.control.refusals import SHOWN_S, Lack, Refusals
from streamvace.system.errors import UserError
from streamvace.telemetry.reporter import Reporter

KIND, SECOND = "/streamvace/control_kind", "/streamvace/second_control/kind"
SCALE = "/streamvace/context_scale"
MISSING = UserError("pose needs a file; `streamvace models pull vision`", "streamvace models pull vision")


class Rig:
    def __init__(self) -> None:
        self.seconds = 100.0
        self.lines: list[str] = []
        self.heard: list[tuple[str, object, str]] = []
        self.parameters = Parameters()
        self.parameters.listen(
            lambda snapshot, changed: self.heard.extend(
                (address, snapshot[address], writer) for address, writer in changed.items()
            )
        )
        self.refusals = Refusals(
            self.parameters, Reporter(self.lines.append), lambda: round(self.seconds * 1_000_000_000)
        )

    def row(self, address: str) -> dict[str, object]:
        row = self.refusals.rows()[address]
        assert isinstance(row, dict)
        return row


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_an_impossible_value_is_taken_back_told_once_and_shown_beside_its_control(rig: Rig) -> None:
    rig.parameters.set(KIND, ("edges",), "desk")
    rig.parameters.set(KIND, ("pose",), "desk")
    rig.refusals.refuse("control pose", (KIND, SECOND), "pose", MISSING)
    assert rig.lines == ["control pose: pose needs a file; `streamvace models pull vision`"]
    assert rig.heard[-1] == (KIND, "edges", ""), "without a writer, so that the asking client hears of it too"
    assert rig.row(KIND) == {
        "address": KIND,
        "asked": "pose",
        "ruling": "edges",
        "why": "pose needs a file; `streamvace models pull vision`",
        "fix": "streamvace models pull vision",
        "lasts": False,
        "number": 1,
    }
    assert SECOND not in rig.refusals.rows(), "it never asked for this"
    assert rig.refusals.newest() == (KIND, "pose", "edges", str(MISSING), "streamvace models pull vision")


def test_a_value_that_was_changed_since_is_left_alone(rig: Rig) -> None:
    rig.parameters.set(KIND, ("pose",), "desk")
    rig.parameters.set(KIND, ("gray",), "desk")
    rig.refusals.refuse("control pose", (KIND,), "pose", MISSING)
    assert rig.parameters.snapshot()[KIND] == "gray"
    assert rig.refusals.rows() == {}


def test_of_two_impossible_values_in_a_row_the_default_is_left(rig: Rig) -> None:
    for kind in ("depth", "pose"):
        rig.parameters.set(KIND, (kind,), "desk")
    for kind in ("pose", "depth"):
        rig.refusals.refuse("control", (KIND,), kind, MISSING)
    assert rig.parameters.snapshot()[KIND] == rig.parameters.schema[KIND].default


def test_a_refused_message_is_shown_for_a_while_and_its_end_is_told(rig: Rig) -> None:
    assert rig.refusals.note("/streamvace/nothing", "1", "no such parameter") is None
    rig.refusals.note(SCALE, "'much'", f"{SCALE}: takes one float 0..2, got 'much'")
    assert (rig.row(SCALE)["why"], rig.row(SCALE)["ruling"]) == ("takes one float 0..2, got 'much'", 1.0)
    rig.refusals.note(f"{SCALE}/to", "9 1", "takes less")
    assert (rig.row(SCALE)["asked"], rig.row(SCALE)["number"]) == ("9 1", 2)
    rig.seconds += SHOWN_S
    assert rig.refusals.rows() == {SCALE: None}
    assert rig.refusals.newest() == ()


def test_a_lack_is_shown_for_as_long_as_it_lasts(rig: Rig) -> None:
    lacks = {"/streamvace/first_frame": Lack("a.png", "there is no a.png")}
    rig.refusals.watch(lambda: dict(lacks))
    rig.parameters.apply_bundle([Change(rig.parameters.check("/streamvace/first_frame", ("a.png",)), "desk")])
    rig.seconds += 60
    row = rig.row("/streamvace/first_frame")
    assert (row["asked"], row["ruling"], row["why"], row["lasts"]) == ("a.png", "a.png", "there is no a.png", True)
    lacks.clear()
    assert rig.refusals.rows() == {"/streamvace/first_frame": None}
