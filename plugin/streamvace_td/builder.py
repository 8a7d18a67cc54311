"""Builds or updates the component: pages, operators, wires, scripts. Runs once, on the main thread.

An existing component keeps its outer wires, its position, and what drives its parameters: values, expressions, bindings
and exports.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

from streamvace_td import VERSION
from streamvace_td.custom_pars import update_pars
from streamvace_td.layout import Expr, Node, ParSetting, nodes
from streamvace_td.pages import pages
from streamvace_td.td_api import Component, Operator, TouchDesigner, par

ROOT = Path(__file__).resolve().parents[2]
COLOUR = (0.16, 0.30, 0.36)
TAG = "streamvace"


def build(parent: Component, td: TouchDesigner, *, name: str = "streamvace", root: Path = ROOT) -> Component:
    """Build or update the component `name` inside `parent`. root: the streamvace folder.

    Raises KeyError for a parameter and AttributeError for an operator that this TouchDesigner does not have.
    """
    made = pages()
    component = cast(Component, _operator(parent, td, "baseCOMP", name))
    update_pars(component, td, made)
    own = {"Version": VERSION, "Toxsavebuild": td.app.build}
    if par(component, "Folder").mode == td.ParMode.CONSTANT:
        own["Folder"] = folder_value(root, Path(td.project.folder))
    set_pars(component, own)
    build_nodes(component, td, nodes(made))
    component.color, component.viewer = COLOUR, True
    component.comment = "streamvace: control picture in, generated picture out"
    component.tags.add(TAG)
    _attach_extension(component)
    return component


def build_nodes(component: Component, td: TouchDesigner, layout: Iterable[Node]) -> None:
    """Create these operators inside `component`, or update those of the same name."""
    layout = tuple(layout)
    for node in layout:
        made = _operator(component, td, node.kind, node.name)
        made.nodeX, made.nodeY, made.comment = node.x, node.y, node.comment
        for sequence, length in node.blocks.items():
            blocks = made.seq[sequence]
            if blocks is None:
                raise KeyError(f"{made.path} has no parameter sequence {sequence!r}")
            blocks.numBlocks = length
        if node.file:
            _load_file(made, node.file)
    # Wires first: the menus of some parameters list what is wired.
    for node in layout:
        _wire(component, node)
    for node in layout:
        made = _operator(component, td, node.kind, node.name)
        set_pars(made, node.pars)


def set_pars(operator: Operator, settings: Mapping[str, ParSetting]) -> None:
    """Set built-in or custom parameters to values or expressions."""
    for name, setting in settings.items():
        target = par(operator, name)
        if isinstance(setting, Expr):
            target.expr = setting.text
        else:
            target.val = setting


def _operator(parent: Component, td: TouchDesigner, kind: str, name: str) -> Operator:
    """The operator of this name; created if it is missing or of another type."""
    existing = parent.op(name)
    if existing is not None and existing.OPType == kind:
        return existing
    if existing is not None:
        existing.destroy()
    return parent.create(getattr(td, kind), name)


def _wire(component: Component, node: Node) -> None:
    target = component.op(node.name)
    for index, source in enumerate(node.inputs):
        name, _, output = source.partition(":")
        origin = component.op(name)
        if target is None or origin is None:
            raise KeyError(f"{component.path}: no operator {name!r} to wire to {node.name!r}")
        target.inputConnectors[index].connect(origin.outputConnectors[int(output or 0)])


def _load_file(dat: Operator, file: str) -> None:
    """The script, loaded from its file in the streamvace folder at every start, and never written back to it."""
    dat.text = (ROOT / file).read_text("utf-8")
    par(dat, "language").val = "python"
    par(dat, "file").expr = f"parent().par.Folder.eval() + '/{file}'"
    par(dat, "syncfile").val = False
    par(dat, "loadonstart").val = True


def folder_value(root: Path, project: Path) -> str:
    """The value of Folder: relative if the project is saved inside the streamvace folder, so that both can be moved
    together; otherwise absolute."""
    if project == root or root in project.parents:
        return Path(os.path.relpath(root, project)).as_posix()
    return root.as_posix()


def _attach_extension(component: Component) -> None:
    blocks = component.seq["ext"]
    if blocks is not None and blocks.numBlocks < 1:
        blocks.numBlocks = 1
    settings: dict[str, ParSetting] = {
        "opviewer": "./out1",
        "ext0object": "op('./extension').module.create(me)",
        "ext0name": "Streamvace",
        "ext0promote": True,
        # A shortcut for inside the component. A global one could not be shared by two components.
        "parentshortcut": "Streamvace",
    }
    set_pars(component, settings)
    if component.par["nodeview"] is not None:  # not every build has it
        set_pars(component, {"nodeview": "opviewer"})
    par(component, "reinitextensions").pulse()
