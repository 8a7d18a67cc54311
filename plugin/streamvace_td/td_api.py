"""Types for the part of TouchDesigner's Python that the component uses. TouchDesigner provides the objects.

Names and signatures follow Derivative's documentation of Par, ParGroup, Page, OP, COMP, DAT, Connector and Project.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Par(Protocol):
    """A parameter of an operator."""

    name: str
    label: str
    val: Any
    expr: str
    bindExpr: str
    mode: object
    default: Any
    min: float
    max: float
    normMin: float
    normMax: float
    clampMin: bool
    clampMax: bool
    readOnly: bool
    startSection: bool
    help: str
    menuNames: list[str]
    menuLabels: list[str]

    @property
    def style(self) -> str: ...
    @property
    def page(self) -> Page: ...
    def eval(self) -> Any: ...
    def destroy(self) -> None: ...
    def pulse(self) -> None: ...


class Pars(Protocol):
    """`operator.par`: by exact name; None if there is no such parameter."""

    def __getitem__(self, name: str) -> Par | None: ...


class Blocks(Protocol):
    """A sequence of parameter blocks, `operator.seq.const`."""

    numBlocks: int


class Sequences(Protocol):
    """`operator.seq`."""

    def __getitem__(self, name: str) -> Blocks | None: ...


class Page(Protocol):
    """A page of custom parameters. Every `append` returns a group; a single parameter is its first item."""

    name: str

    def sort(self, *names: str) -> None: ...
    def destroy(self) -> None: ...
    def appendFloat(self, name: str, *, label: str, size: int = 1) -> Sequence[Par]: ...
    def appendInt(self, name: str, *, label: str, size: int = 1) -> Sequence[Par]: ...
    def appendToggle(self, name: str, *, label: str) -> Sequence[Par]: ...
    def appendStr(self, name: str, *, label: str) -> Sequence[Par]: ...
    def appendStrMenu(self, name: str, *, label: str) -> Sequence[Par]: ...
    def appendMenu(self, name: str, *, label: str) -> Sequence[Par]: ...
    def appendPulse(self, name: str, *, label: str) -> Sequence[Par]: ...
    def appendFolder(self, name: str, *, label: str) -> Sequence[Par]: ...


class Connector(Protocol):
    """One end of a wire."""

    def connect(self, target: Operator | Connector) -> None: ...
    def disconnect(self) -> None: ...


class Operator(Protocol):
    """Any operator. `text`, `appendRow` and so on exist on DATs only, width and height on TOPs."""

    name: str
    path: str
    id: int
    OPType: str
    nodeX: float
    nodeY: float
    comment: str
    color: tuple[float, float, float]
    viewer: bool
    text: str
    numRows: int
    width: int
    height: int

    @property
    def par(self) -> Pars: ...
    @property
    def seq(self) -> Sequences: ...
    @property
    def tags(self) -> set[str]: ...
    @property
    def inputConnectors(self) -> Sequence[Connector]: ...
    @property
    def outputConnectors(self) -> Sequence[Connector]: ...
    def destroy(self) -> None: ...
    def errors(self) -> str: ...
    def warnings(self) -> str: ...
    def appendRow(self, cells: list[str]) -> object: ...
    def deleteRow(self, row: int) -> None: ...
    def clear(self) -> None: ...


class Component(Operator, Protocol):
    """An operator with a network inside."""

    @property
    def customPars(self) -> Sequence[Par]: ...
    def create(self, operator_type: Any, name: str) -> Operator: ...
    def op(self, path: str) -> Operator | None: ...
    @property
    def customPages(self) -> Sequence[Page]: ...
    def appendCustomPage(self, name: str) -> Page: ...
    def save(self, path: str, *, createFolders: bool) -> str: ...
    def sortCustomPages(self, *names: str) -> None: ...


class ParChange(Protocol):
    """One entry of a Parameter Execute DAT's `onValuesChanged`."""

    par: Par
    prev: object


class Project(Protocol):
    """The open project. folder: where it is saved; before the first save, where it would be."""

    folder: str


class App(Protocol):
    """The program."""

    build: str
    version: str
    installFolder: str


class UI(Protocol):
    """The program's windows."""

    def viewFile(self, url: str) -> None: ...


class Modes(Protocol):
    """`ParMode`: how a parameter gets its value."""

    CONSTANT: object
    EXPRESSION: object
    BIND: object
    EXPORT: object


class Finder(Protocol):
    """`op`: finds operators by path. `TDResources` is a component of TouchDesigner's own."""

    TDResources: object

    def __call__(self, path: str) -> Operator | None: ...


class TouchDesigner(Protocol):
    """The module `td`. Operator types are attributes of it: `td.inTOP`."""

    ParMode: Modes
    project: Project
    app: App
    ui: UI
    op: Finder

    def run(self, script: str, *args: object, delayMilliSeconds: float, delayRef: object) -> object: ...
    def __getattr__(self, name: str) -> Any: ...


def par(operator: Operator, name: str) -> Par:
    """The parameter of this name. Raises KeyError if the operator has none."""
    found = operator.par[name]
    if found is None:
        raise KeyError(f"{operator.path} has no parameter {name!r}")
    return found
