"""The simulation rejects what TouchDesigner rejects."""

from __future__ import annotations

import threading

import pytest

from tests.touchdesigner.fake_pars import ParMode
from tests.touchdesigner.fake_td import FakeTouchDesigner
from tests.touchdesigner.guard import GUARD, OffThread


def test_an_unknown_operator_type_is_refused(td: FakeTouchDesigner) -> None:
    with pytest.raises(AttributeError, match="spoutinTOP"):
        _ = td.spoutinTOP  # the old name
    with pytest.raises(TypeError, match="operator type"):
        td.network.create("inTOP", "in1")
    td.network.create(td.inTOP, "in1")
    with pytest.raises(ValueError, match="already"):
        td.network.create(td.inTOP, "in1")


def test_an_unknown_or_miscased_parameter_is_refused(td: FakeTouchDesigner) -> None:
    out = td.network.create(td.ndioutTOP, "out")
    with pytest.raises(AttributeError, match="did you mean includealpha"):
        out.par.IncludeAlpha = True
    with pytest.raises(AttributeError, match="netaddress"):
        td.network.create(td.oscoutDAT, "osc").par.netaddress = "127.0.0.1"  # the CHOP's name, not the DAT's
    assert out.par["sendername"] is None


def test_a_value_of_the_wrong_type_is_refused(td: FakeTouchDesigner) -> None:
    out = td.network.create(td.ndioutTOP, "out")
    for name, value in [("name", 3), ("fps", "60"), ("includealpha", "on"), ("lowperformancebehavior", "skip")]:
        with pytest.raises((TypeError, ValueError)):
            setattr(out.par, name, value)


@pytest.mark.parametrize("name", ["contextscale", "ContextScale", "Context_scale", "", "3d"])
def test_a_custom_parameter_name_that_touchdesigner_would_refuse_is_refused(td: FakeTouchDesigner, name: str) -> None:
    with pytest.raises(ValueError, match="custom parameter"):
        td.network.appendCustomPage("Page").appendFloat(name)


def test_a_custom_parameter_is_there_once(td: FakeTouchDesigner) -> None:
    page = td.network.appendCustomPage("Page")
    page.appendFloat("Scale")
    with pytest.raises(ValueError, match="already"):
        page.appendInt("Scale")
    with pytest.raises(ValueError, match="already"):
        td.network.appendCustomPage("Page")


def test_setting_val_ends_an_expression_without_a_word(td: FakeTouchDesigner) -> None:
    [par] = td.network.appendCustomPage("Page").appendFloat("Scale")
    par.expr = "0.25 + 0.5"
    assert (par.eval(), par.val, par.mode) == (0.75, 0.0, ParMode.EXPRESSION)
    par.val = 0.1
    assert (par.eval(), par.mode, par.expr) == (0.1, ParMode.CONSTANT, "0.25 + 0.5")


def test_a_bound_parameter_has_the_value_of_the_other(td: FakeTouchDesigner) -> None:
    page = td.network.appendCustomPage("Page")
    [master], [bound] = page.appendFloat("Master"), page.appendFloat("Scale")
    bound.bindExpr = "me.par.Master"
    master.val = 0.5
    assert (bound.eval(), bound.mode) == (0.5, ParMode.BIND)


def test_in_a_pause_only_scripts_that_refer_to_the_resources_run(td: FakeTouchDesigner) -> None:
    ran: list[str] = []
    td.run("args[0].append('resources')", ran, delayMilliSeconds=30, delayRef=td.op.TDResources)
    td.run("args[0].append('project')", ran, delayMilliSeconds=30, delayRef=td.network)
    td.paused_frame()
    assert ran == []
    td.paused_frame()
    assert ran == ["resources"]
    td.frame()
    assert ran == ["resources", "project"]


def test_a_wire_joins_like_to_like_in_one_network(td: FakeTouchDesigner) -> None:
    picture = td.network.create(td.nullTOP, "picture")
    table = td.network.create(td.outDAT, "table")
    inside = td.network.create(td.baseCOMP, "inside").create(td.nullTOP, "picture")
    with pytest.raises(TypeError, match="gives a TOP"):
        table.inputConnectors[0].connect(picture)
    with pytest.raises(ValueError, match="one network"):
        inside.inputConnectors[0].connect(picture)
    with pytest.raises(IndexError):
        _ = picture.inputConnectors[1]


def test_members_that_an_operator_does_not_have_are_refused(td: FakeTouchDesigner) -> None:
    picture = td.network.create(td.nullTOP, "picture")
    with pytest.raises(AttributeError):
        picture.nodex = 3
    with pytest.raises(AttributeError, match="tableDAT"):
        picture.appendRow(["a"])


def test_another_thread_may_not_read_an_attribute(td: FakeTouchDesigner) -> None:
    caught: list[BaseException] = []

    def look() -> None:
        try:
            _ = td.network.name
        except OffThread as problem:
            caught.append(problem)

    thread = threading.Thread(target=look, name="worker")
    thread.start()
    thread.join()
    assert "worker" in str(caught[0])
    assert len(GUARD.violations) == 1
    GUARD.violations.clear()


def test_a_script_that_searches_for_operators_while_it_loads_is_rejected(td: FakeTouchDesigner) -> None:
    script = td.network.create(td.textDAT, "script")
    script.text = "found = op('/project1')"
    with pytest.raises(RuntimeError, match="being loaded"):
        _ = script.module


def test_a_callback_whose_toggle_is_off_is_not_called(td: FakeTouchDesigner) -> None:
    script = td.network.create(td.executeDAT, "script")
    script.text = "frames = []\ndef onFrameStart(frame):\n    frames.append(frame)"
    script.par.active = True
    td.frame()
    assert script.module.frames == []
    script.par.framestart = True
    td.frame()
    assert script.module.frames == [2]
