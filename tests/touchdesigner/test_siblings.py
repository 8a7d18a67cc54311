"""A copied component gets a port and sender names of its own, and says whose process it joins."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamvace_td.builder import build
from streamvace_td.siblings import free_port, free_stream

from streamvace.osc.server import OscServer
from tests.touchdesigner.fake_ops import COMP
from tests.touchdesigner.fake_td import FakeTouchDesigner
from tests.touchdesigner.studio import Studio


def component(td: FakeTouchDesigner, name: str) -> COMP:
    """Another component with the port and names of the first, like a copy."""
    made = build(td.network, td, name=name)  # type: ignore[arg-type]
    assert isinstance(made, COMP)
    td.frame()
    return made


def identity(of: COMP) -> tuple[object, object]:
    return of.par.Oscport.eval(), of.par.Streamname.eval()


def lines(of: COMP) -> str:
    of._world.frame()
    table = of.op("log")
    assert table is not None
    return "\n".join(row[2] for row in table._rows)


def test_a_copy_gets_its_own_port_and_sender_names_and_says_so(td: FakeTouchDesigner) -> None:
    first, second, third = (component(td, name) for name in ("left", "right", "back"))
    assert [identity(each) for each in (first, second, third)] == [
        (7700, "streamvace"),
        (7701, "streamvace2"),
        (7702, "streamvace3"),
    ]
    assert "copy of /project1/left: port 7701, stream streamvace2" in lines(second)
    assert "copy of" not in lines(first)


def test_a_reload_or_a_deleted_original_changes_nothing(td: FakeTouchDesigner) -> None:
    first = component(td, "left")
    first.par.reinitextensions.pulse()
    td.frame()
    assert identity(first) == (7700, "streamvace")
    first.destroy()
    assert identity(component(td, "right")) == (7700, "streamvace")


def test_the_next_project_of_a_touchdesigner_starts_without_the_components_of_this_one(
    td: FakeTouchDesigner, tmp_path: Path
) -> None:
    component(td, "left")
    td.close()
    following = FakeTouchDesigner(tmp_path)
    following._ids = td._ids  # no operator gets the id of an earlier one
    assert identity(component(following, "right")) == (7700, "streamvace")


def test_a_port_that_an_expression_sets_is_left_alone(td: FakeTouchDesigner) -> None:
    component(td, "left")
    second = build(td.network, td, name="right")
    second.par.Oscport.expr = "7700"  # type: ignore[attr-defined]
    td.frame()
    assert second.par.Oscport.eval() == 7700  # type: ignore[attr-defined]
    assert second.par.Streamname.eval() == "streamvace2"  # type: ignore[attr-defined]


def test_a_component_says_whose_process_it_joins(td: FakeTouchDesigner, server: OscServer) -> None:
    first = Studio(td, name="left")
    first.set(Oscport=server.port)
    first.until(lambda: first.par("State") == "joined", "joined")
    assert first.par("Message") == "joined a process that this component did not start"
    second = Studio(td, name="right")
    second.frame()
    second.set(Oscport=server.port)
    second.until(lambda: second.par("State") == "joined", "joined")
    assert second.par("Message") == "joined the process of /project1/left"
    first.close()
    second.close()


def test_many_spout_senders_are_counted_and_said(td: FakeTouchDesigner) -> None:
    made = []
    for number in range(6):
        each = build(td.network, td, name=f"part{number}")
        each.par.Transport = "spout"  # type: ignore[attr-defined]
        td.frame()
        made.append(each)
    assert "Spout senders" not in lines(made[4])  # type: ignore[arg-type]
    assert "12 Spout senders: Spout lists 64 on a machine, or 10" in lines(made[5])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stream", "taken", "free"),
    [
        ("show", [], "show"),
        ("show", ["show", "show2"], "show3"),
        ("show7", ["show7"], "show8"),
        ("12", ["12"], "13"),
    ],
)
def test_the_next_free_name_counts_on(stream: str, taken: list[str], free: str) -> None:
    assert free_stream(stream, taken) == free


def test_the_next_free_port_stays_in_range() -> None:
    assert free_port(7700, {7700, 7701}) == 7702
    assert free_port(65535, {65535}) == 1024
