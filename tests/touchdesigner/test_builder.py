"""The component from the builder, operator by operator."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from streamvace_td import VERSION
from streamvace_td.builder import build, folder_value
from streamvace_td.layout import GROUPS, Expr, Node, nodes, status_channels
from streamvace_td.pages import pages

import osc_schema
from tests.touchdesigner import ROOT
from tests.touchdesigner.fake_ops import COMP, OP
from tests.touchdesigner.fake_pars import ParMode
from tests.touchdesigner.fake_td import FakeTouchDesigner

LAYOUT = nodes(pages())


@pytest.fixture
def component(td: FakeTouchDesigner) -> COMP:
    made = build(td.network, td)  # type: ignore[arg-type]
    assert isinstance(made, COMP)
    return made


def inside(component: COMP, name: str) -> OP:
    found = component.op(name)
    assert found is not None, name
    return found


@pytest.mark.parametrize("node", LAYOUT, ids=lambda node: node.name)
def test_each_operator_matches_the_layout(component: COMP, node: Node) -> None:
    made = inside(component, node.name)
    assert made.OPType == node.kind
    assert (made.nodeX, made.nodeY, made.comment) == (node.x, node.y, node.comment)
    assert [each.name for each in made.inputs] == [name.partition(":")[0] for name in node.inputs]
    for name, setting in node.pars.items():
        par = made.par[name]
        assert par is not None, name
        assert (par.expr if isinstance(setting, Expr) else par.val) == (
            setting.text if isinstance(setting, Expr) else setting
        )
        par.eval()


def test_nothing_else_is_inside(component: COMP) -> None:
    assert {each.name for each in component.children} == {node.name for node in LAYOUT}


def test_no_two_operators_overlap_and_every_one_is_in_a_group() -> None:
    places = [(node.x, node.y) for node in LAYOUT]
    assert len(set(places)) == len(places)
    for index, (x, y) in enumerate(places):
        assert not [1 for other in places[index + 1 :] if abs(x - other[0]) < 150 and abs(y - other[1]) < 110]
    assert sorted(name for group in GROUPS for name in group.nodes) == sorted(node.name for node in LAYOUT)


def test_the_component_has_two_inputs_and_three_outputs(component: COMP) -> None:
    assert [each._what for each in component.inputConnectors] == ["TOP", "TOP"]
    assert [each._what for each in component.outputConnectors] == ["TOP", "CHOP", "DAT"]


@pytest.mark.parametrize(
    ("transport", "texture", "ndi", "index"),
    [("spout", True, False, 0), ("syphon", True, False, 0), ("ndi", False, True, 1)],
)
def test_the_transport_switches_the_operators(
    component: COMP, transport: str, texture: bool, ndi: bool, index: int
) -> None:
    component.par.Transport = transport
    component.par.Resultname = "PC (show)"
    component.par.Streamname = "show"
    assert inside(component, "send_texture").par.active.eval() is texture
    assert inside(component, "send_ndi").par.active.eval() is ndi
    assert inside(component, "receive_ndi").par.active.eval() is ndi
    assert inside(component, "receive_ndi").par.name.eval() == ("PC (show)" if ndi else "")
    assert inside(component, "receive_texture").par.sendername.eval() == ("PC (show)" if texture else "")
    assert inside(component, "result").par.index.eval() == index
    assert inside(component, "send_ndi").par.name.eval() == "show-control"
    assert inside(component, "send_texture").par.sendername.eval() == "show-control"


def test_the_mask_travels_in_the_alpha_that_ndi_keeps(component: COMP) -> None:
    assert inside(component, "control").par.index.eval() == 0
    component.par.Maskinput = "second"
    assert inside(component, "control").par.index.eval() == 1
    assert inside(component, "send_ndi").par.includealpha.eval() is True


def test_spout_gets_eight_bits_and_four_channels_and_an_unwired_input_a_picture(component: COMP) -> None:
    assert inside(component, "control").par.format.eval() == "rgba8fixed"
    assert [each.name for each in inside(component, "in1").inputs] == ["no_control"]
    white = inside(component, "no_mask").par
    assert (white.colorr.eval(), white.alpha.eval(), white.resolutionw.eval()) == (1.0, 1.0, 128)


def test_every_number_of_the_status_is_a_channel(component: COMP) -> None:
    figures = inside(component, "figures")
    channels = status_channels(pages())
    assert figures.seq["const"].numBlocks == len(channels)
    component.par.Statusfps = 24.5
    named = {
        getattr(figures.par, f"const{i}name").eval(): getattr(figures.par, f"const{i}value").eval()
        for i in range(len(channels))
    }
    assert named["fps"] == 24.5
    assert {"fps", "latency_p50", "latency_p95", "missed", "connected", "restarts"} <= named.keys()
    numbers = [row for row in osc_schema.load() if row.access == "read" and row.type in ("float", "int", "bool")]
    assert len(named) == len(numbers) + 2


@pytest.mark.parametrize("spec", [spec for page in pages() for spec in page.pars], ids=lambda spec: spec.name)
def test_each_custom_parameter_matches_its_spec(component: COMP, spec: object) -> None:
    from streamvace_td.pages import ParSpec

    assert isinstance(spec, ParSpec)
    made = component.par[spec.name]
    assert made is not None
    kinds = {"Float": "float", "Int": "int", "Toggle": "toggle", "Str": "str", "Menu": "menu:", "Pulse": "pulse"}
    assert made._kind == {**kinds, "Folder": "file", "StrMenu": "strmenu"}[spec.style]
    assert (made.label, made.help, made.readOnly) == (spec.label, spec.help, spec.read_only)
    assert made.menuNames == [name for name, _ in spec.choices]
    if spec.minimum is not None:
        assert (made.min, made.normMin, made.clampMin) == (spec.minimum, spec.minimum, True)
    if spec.maximum is not None:
        assert (made.max, made.normMax, made.clampMax) == (spec.maximum, spec.maximum, True)
    if spec.style != "Pulse" and spec.name not in ("Folder", "Version", "Toxsavebuild"):
        assert made.eval() == made.default == spec.default


def test_pages_come_in_order(component: COMP) -> None:
    assert [page.name for page in component.customPages] == [page.name for page in pages()]


def test_the_scripts_are_loaded_from_files_at_every_start(component: COMP, td: FakeTouchDesigner) -> None:
    for node in LAYOUT:
        if node.file:
            dat = inside(component, node.name)
            assert Path(td.project.folder, dat.par.file.eval()).samefile(ROOT / node.file)
            assert (dat.par.loadonstart.eval(), dat.par.syncfile.eval()) == (True, False), "never written to the folder"
            assert dat.par.language.eval() == "python"
            assert dat.text == (ROOT / node.file).read_text("utf-8")


def test_version_build_tag_and_viewer_are_set(component: COMP, td: FakeTouchDesigner) -> None:
    assert component.par.Version.eval() == VERSION
    assert component.par.Toxsavebuild.eval() == td.app.build
    assert component.par.opshortcut.eval() == "", "no global name, which two components could not share"
    assert "streamvace" in component.tags
    shown = (component.viewer, component.par.nodeview.eval(), component.par.opviewer.eval())
    assert shown == (True, "opviewer", "./out1"), "its tile shows the result"


def test_the_about_page_names_licence_help_and_what_it_was_tested_with(component: COMP) -> None:
    assert component.customPages[-1].name == "About"
    assert component.par.Licence.eval() in (ROOT / "pyproject.toml").read_text("utf-8")
    assert component.par.Helpaddress.eval().startswith("https://")
    assert "not yet in TouchDesigner" in component.par.Testedwith.eval()


def test_its_version_is_streamvaces() -> None:
    from streamvace import __version__

    assert __version__ == VERSION


def test_the_folder_is_relative_for_a_project_inside_it(tmp_path: Path) -> None:
    assert folder_value(tmp_path, tmp_path / "td_project") == ".."
    assert folder_value(tmp_path, tmp_path / "td_project" / "mine") == "../.."
    assert folder_value(tmp_path / "streamvace", tmp_path / "elsewhere") == (tmp_path / "streamvace").as_posix()


def test_building_again_keeps_wires_position_and_values(component: COMP, td: FakeTouchDesigner) -> None:
    source = td.network.create(td.noiseTOP, "noise")
    component.inputConnectors[0].connect(source)
    component.nodeX = 700
    component.par.Prompt = "my prompt"
    component.par.Holdmode = "pingpong"
    component.par.Statusfps = 12.0
    again = build(td.network, td)  # type: ignore[arg-type]
    assert again is component
    assert [each._op.name for each in component.inputConnectors[0].connections] == ["noise"]
    assert (component.nodeX, component.par.Prompt.eval(), component.par.Holdmode.eval()) == (
        700,
        "my prompt",
        "pingpong",
    )
    assert component.par.Statusfps.eval() == 0.0
    assert {each.name for each in component.children} == {node.name for node in LAYOUT}


def drive(component: COMP) -> None:
    """Drive one parameter in each of the four modes."""
    component.par.Prompt = "my prompt"
    component.par.Contextscale.expr = "absTime.seconds * 0 + 0.25"
    component.par.Streamname.bindExpr = "me.par.Prompt"
    component.par.Noisescale._export_from(lambda: 0.125)
    component.par.Folder.expr = repr(str(ROOT))


def driven(component: COMP) -> dict[str, tuple[ParMode, object]]:
    names = ("Prompt", "Contextscale", "Streamname", "Noisescale", "Folder")
    return {name: (component.par[name].mode, component.par[name].eval()) for name in names}  # type: ignore[union-attr]


def test_building_again_keeps_what_drives_a_parameter(component: COMP, td: FakeTouchDesigner) -> None:
    drive(component)
    before = driven(component)
    assert [mode.name for mode, _ in before.values()] == ["CONSTANT", "EXPRESSION", "BIND", "EXPORT", "EXPRESSION"]
    build(td.network, td)  # type: ignore[arg-type]
    assert driven(component) == before


def test_a_parameter_of_an_earlier_page_or_style_is_replaced_and_driven_as_before(
    component: COMP, td: FakeTouchDesigner
) -> None:
    old_page = component.appendCustomPage("Old")
    for name, style in [("Contextscale", "Float"), ("Streamname", "Str"), ("Prompt", "StrMenu"), ("Gone", "Int")]:
        if component.par[name] is not None:
            component.par[name].destroy()  # type: ignore[union-attr]
        getattr(old_page, f"append{style}")(name)
    drive(component)
    before = driven(component)
    build(td.network, td)  # type: ignore[arg-type]
    assert driven(component) == before
    assert component.par["Gone"] is None
    assert [page.name for page in component.customPages] == [page.name for page in pages()]
    assert [par.name for par in component.customPars] == [spec.name for page in pages() for spec in page.pars]


def test_a_menu_that_lost_an_entry_keeps_its_other_value(component: COMP, td: FakeTouchDesigner) -> None:
    component.par.Holdmode.menuNames = ["old", "pingpong"]
    component.par.Holdmode = "pingpong"
    build(td.network, td)  # type: ignore[arg-type]
    assert component.par.Holdmode.eval() == "pingpong"


def test_an_operator_of_another_type_is_replaced(component: COMP, td: FakeTouchDesigner) -> None:
    inside(component, "log").destroy()
    component.create(td.textDAT, "log")
    build(td.network, td)  # type: ignore[arg-type]
    assert inside(component, "log").OPType == "tableDAT"


def test_a_component_recovers_when_its_folder_is_set_right(td: FakeTouchDesigner, tmp_path: Path) -> None:
    component = build(td.network, td)
    right = component.par.Folder.eval()  # type: ignore[attr-defined]
    component.par.Folder = str(tmp_path / "moved away")  # type: ignore[attr-defined]
    component._extension = None  # type: ignore[attr-defined]  # as when the project opens and the folder is missing
    td.frame()
    td.frame(lambda: setattr(component.par, "Folder", right))
    td.frame()
    assert component.par.State.eval() == "looking"  # type: ignore[attr-defined]


def test_two_components_stand_side_by_side(td: FakeTouchDesigner) -> None:
    first, second = (build(td.network, td, name=name) for name in ("left", "right"))  # type: ignore[arg-type]
    assert first.path != second.path


def test_one_line_in_the_textport_builds_the_component(
    td: FakeTouchDesigner, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import runpy

    monkeypatch.setitem(sys.modules, "td", td)
    runpy.run_path(str(ROOT / "plugin" / "build_component.py"))
    assert td.network.op("streamvace") is not None
    assert "/project1/streamvace is ready" in capsys.readouterr().out
    assert [Path(path).name for path in td._saved] == ["streamvace.tox"]


def test_an_older_touchdesigner_is_refused_in_one_line(
    td: FakeTouchDesigner, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import runpy

    monkeypatch.setitem(sys.modules, "td", td)
    td.app.build = "2022.35280"
    for name in [name for name in sys.modules if name.startswith(("streamvace_td", "osc_schema"))]:
        monkeypatch.delitem(sys.modules, name)
    runpy.run_path(str(ROOT / "plugin" / "build_component.py"))
    said = capsys.readouterr().out
    assert "this is TouchDesigner 2022.35280; the component needs 2023 or newer" in said
    assert said.count("\n") == 1
    assert td.network.op("streamvace") is None
    assert "streamvace_td" not in sys.modules, "its Python cannot import the component"


def test_a_missing_folder_is_reported_with_the_parameter_to_set(td: FakeTouchDesigner, tmp_path: Path) -> None:
    component = build(td.network, td)
    component.par.Folder = str(tmp_path / "moved away")  # type: ignore[attr-defined]
    script = component.op("extension")
    assert isinstance(script, OP)
    with pytest.raises(RuntimeError, match="set the component's Folder parameter"):
        script.module.create(component)
