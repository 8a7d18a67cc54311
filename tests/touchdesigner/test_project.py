"""The example project is built by one line, and the pictures in its README match it."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.touchdesigner import ROOT
from tests.touchdesigner.fake_ops import COMP
from tests.touchdesigner.fake_td import FakeTouchDesigner

FOLDER = ROOT / "td_project"


@pytest.fixture
def show(td: FakeTouchDesigner, monkeypatch: pytest.MonkeyPatch) -> COMP:
    monkeypatch.setitem(sys.modules, "td", td)
    runpy.run_path(str(FOLDER / "build_project.py"))
    found = td.network.op("streamvace_show")
    assert isinstance(found, COMP)
    return found


def layout() -> tuple[object, ...]:
    nodes: tuple[object, ...] = runpy.run_path(str(FOLDER / "project_layout.py"))["NODES"]
    return nodes


def test_the_line_builds_every_operator_with_its_wires(show: COMP) -> None:
    from streamvace_td.layout import Expr, Node

    assert {each.name for each in show.children} == {node.name for node in layout() if isinstance(node, Node)}
    for node in layout():
        assert isinstance(node, Node)
        made = show.op(node.name)
        assert made is not None
        assert made.OPType == node.kind
        assert [each.name for each in made.inputs] == [name.partition(":")[0] for name in node.inputs]
        for name, setting in node.pars.items():
            par = made.par[name]
            assert par is not None
            assert par.expr == setting.text if isinstance(setting, Expr) else par.val == setting
            par.eval()


def test_picture_figures_and_log_come_out_of_the_component(show: COMP) -> None:
    for name, output, what in [("picture", 0, "TOP"), ("figures", 1, "CHOP"), ("log", 2, "DAT")]:
        made = show.op(name)
        assert made is not None
        [wire] = made.inputConnectors[0].connections
        assert (wire._op.name, wire._index, wire._what) == ("streamvace", output, what)


def test_the_status_on_the_picture_is_one_line(show: COMP) -> None:
    status = show.op("status")
    assert status is not None
    assert status.par.text.eval() == "stopped 0 frames/s  0 ms"


def test_running_the_line_again_keeps_the_values(show: COMP, td: FakeTouchDesigner) -> None:
    component = show.op("streamvace")
    assert component is not None
    component.par.Prompt = "mine"
    runpy.run_path(str(FOLDER / "build_project.py"))
    assert td.network.op("streamvace_show") is show
    assert component.par.Prompt.eval() == "mine"


def test_nothing_else_in_the_project_is_touched(td: FakeTouchDesigner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "td", td)
    td.network.create(td.noiseTOP, "noise1")
    runpy.run_path(str(FOLDER / "build_project.py"))
    assert [each.name for each in td.network.children] == ["noise1", "streamvace_show"]


def test_the_pictures_match_the_layout() -> None:
    """If this fails, run: python td_project/draw_networks.py"""
    drawn = runpy.run_path(str(FOLDER / "draw_networks.py"))["pictures"]()
    for name, picture in drawn.items():
        assert (FOLDER / name).read_text("utf-8") == picture, name
        ElementTree.fromstring(picture)


def test_every_operator_is_in_its_picture() -> None:
    from streamvace_td.layout import nodes
    from streamvace_td.pages import pages

    component = (FOLDER / "component.svg").read_text("utf-8")
    for node in nodes(pages()):
        assert f">{node.name}<" in component


def test_outside_touchdesigner_it_reports_where_to_run_it() -> None:
    ran = subprocess.run([sys.executable, str(FOLDER / "build_project.py")], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "inside TouchDesigner" in ran.stderr


def test_no_binary_of_touchdesigner_is_committed() -> None:
    assert [path for path in Path(ROOT).glob("*/**/*.to[xe]") if ".venv" not in path.parts] == []
