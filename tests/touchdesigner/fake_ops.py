"""Simulated operators: created by type, wired by family, with the members that TouchDesigner documents."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tests.touchdesigner.fake_pars import Page, Par, Pars, Sequence
from tests.touchdesigner.guard import Guarded
from tests.touchdesigner.operators import TYPES, OperatorType

if TYPE_CHECKING:
    from tests.touchdesigner.fake_td import FakeTouchDesigner

FAMILIES = ("CHOP", "TOP", "DAT", "COMP")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


def family(kind: str) -> str:
    return next(each for each in FAMILIES if kind.endswith(each))


class Connector(Guarded):
    """One end of a wire. A wire joins one output to one input of the same family."""

    def __init__(self, op: OP, index: int, what: str, incoming: bool) -> None:
        self._op, self._index, self._what, self._incoming = op, index, what, incoming
        self._wired: Connector | None = None

    def connect(self, target: OP | Connector) -> None:
        other = target if isinstance(target, Connector) else target.outputConnectors[0]
        if not self._incoming or other._incoming:
            raise TypeError(f"{self._op._path}: an input is wired to an output")
        if self._what != other._what:
            raise TypeError(f"{other._op._path} gives a {other._what}, {self._op._path} takes a {self._what}")
        if self._op._parent is not other._op._parent:
            raise ValueError(f"{other._op._path} and {self._op._path} are not in one network")
        self._wired = other

    def disconnect(self) -> None:
        self._wired = None

    @property
    def connections(self) -> list[Connector]:
        return [] if self._wired is None else [self._wired]


class OP(Guarded):
    """Any operator."""

    name = path = comment = OPType = text = ""
    id = 0
    valid = True
    nodeX = nodeY = 0.0
    color = (0.55, 0.55, 0.55)
    viewer = False

    def __init__(self, world: FakeTouchDesigner, parent: COMP | None, kind: str, name: str) -> None:
        self._world, self._parent, self._kind = world, parent, kind
        self._path = f"{'' if parent is None or parent._path == '/' else parent._path}/{name}"
        self._type: OperatorType = TYPES[kind]
        self._pars: dict[str, Par] = {}
        for par_name, par_kind in self._type.pars.items():
            self._pars[par_name] = Par(self, par_name, par_kind)
        self._seq = {each: Sequence(self, each, dict(block), 1) for each, block in self._type.blocks.items()}
        self._inputs: list[Connector] = []
        self._tags: set[str] = set()
        self._destroyed = False
        self._error = ""
        self.name, self.path, self.OPType = name, self._path, kind
        self._rows: list[tuple[str, ...]] = []
        self.id = world._next_id()

    @property
    def par(self) -> Pars:
        return Pars(self._pars)

    @property
    def seq(self) -> dict[str, Sequence]:
        return dict(self._seq)

    @property
    def tags(self) -> set[str]:
        return self._tags

    @property
    def inputConnectors(self) -> list[Connector]:
        wanted = self._type.inputs
        if self._type.many:
            # One free input more than the wired ones, as in the network editor.
            wanted = sum(each._wired is not None for each in self._inputs) + 1
        while len(self._inputs) < wanted:
            self._inputs.append(Connector(self, len(self._inputs), family(self._kind), incoming=True))
        return self._inputs[:wanted]

    @property
    def outputConnectors(self) -> list[Connector]:
        return [Connector(self, index, family(self._kind), incoming=False) for index in range(self._type.outputs)]

    @property
    def inputs(self) -> list[OP]:
        return [each._wired._op for each in self.inputConnectors if each._wired is not None]

    @property
    def numRows(self) -> int:
        self._needs("tableDAT")
        return len(self._rows)

    @property
    def width(self) -> int:
        return self._side("resolutionw")

    @property
    def height(self) -> int:
        return self._side("resolutionh")

    def _side(self, name: str) -> int:
        if family(self._kind) != "TOP":
            raise AttributeError(f"{self._path} is a {self._kind} and no TOP")
        return int(self._pars[name].eval())

    def errors(self) -> str:
        return self._error

    def warnings(self) -> str:
        return ""

    @property
    def module(self) -> Any:
        self._needs("textDAT", "executeDAT", "parameterexecuteDAT")
        return self._world._module(self)

    def parent(self) -> COMP:
        if self._parent is None:
            raise ValueError("the root has no parent")
        return self._parent

    def destroy(self) -> None:
        if self._parent is not None:
            del self._parent._children[self.name]
        self._destroyed, self.valid = True, False
        self._world._gone(self)

    def appendRow(self, cells: Iterable[object]) -> None:
        self._needs("tableDAT")
        if not isinstance(cells, list):
            raise TypeError(f"appendRow takes a list, got {cells!r}")
        self._rows.append(tuple(str(cell) for cell in cells))

    def deleteRow(self, row: int) -> None:
        self._needs("tableDAT")
        del self._rows[row]

    def clear(self) -> None:
        self._needs("tableDAT")
        self._rows.clear()

    def _offers(self, par: Par, entry: str) -> bool:
        """A Reorder TOP's menus list the inputs that are wired."""
        wired = re.fullmatch(r"input(\d)", entry) if self._kind == "reorderTOP" else None
        return wired is None or int(wired[1]) <= len(self.inputs)

    def _needs(self, *kinds: str) -> None:
        if self._kind not in kinds:
            raise AttributeError(f"{self._path} is a {self._kind} and no {' or '.join(kinds)}")

    def _evaluate(self, expression: str) -> Any:
        """Evaluate an expression with the names that TouchDesigner defines; `me` is the parameter's operator."""
        names = {"me": self, "parent": lambda: self._parent, "op": self._find, "absTime": self._world.absTime}
        return eval(expression, {**names, "project": self._world.project, "math": math})

    def _find(self, path: str) -> OP | None:
        """`op('x')` relative to this operator: a sibling, or a child if this is a component."""
        if path.startswith("/"):
            return self._world._at(path)
        if path == "..":
            return self._parent
        base: OP | None = self
        inside = path.removeprefix("./")
        if not isinstance(self, COMP):
            base = self._parent
        return base._children.get(inside) if isinstance(base, COMP) else None

    def _pulsed(self, par: Par) -> None:
        self._world._pulses.append(par)
        if par._name == "reinitextensions" and isinstance(self, COMP):
            self._reinit()


class COMP(OP):
    """An operator with a network inside, custom parameters and extensions."""

    def __init__(self, world: FakeTouchDesigner, parent: COMP | None, kind: str, name: str) -> None:
        super().__init__(world, parent, kind, name)
        self._children: dict[str, OP] = {}
        self._pages: list[Page] = []
        self._extension: Any = None
        self._wires: dict[str, Connector] = {}

    def __getattr__(self, name: str) -> Any:
        """Promoted members of the extension."""
        extension = self.__dict__.get("_extension")
        promote = self.__dict__.get("_pars", {}).get("ext0promote")
        if name[0].isupper() and extension is not None and promote is not None and promote._constant:
            return getattr(extension, name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    @property
    def customPars(self) -> list[Par]:
        return [par for page in self._pages for par in page]

    @property
    def customPages(self) -> list[Page]:
        return list(self._pages)

    @property
    def children(self) -> list[OP]:
        return list(self._children.values())

    @property
    def inputConnectors(self) -> list[Connector]:
        found = []
        for each in sorted(self._children.values(), key=lambda each: each.name):
            if each._kind.startswith("in") and each._kind in ("inTOP", "inCHOP", "inDAT"):
                key = each.name
                self._wires.setdefault(key, Connector(self, len(found), family(each._kind), incoming=True))
                found.append(self._wires[key])
        return found

    @property
    def outputConnectors(self) -> list[Connector]:
        outs = sorted((each for each in self._children.values() if each._kind.startswith("out")), key=lambda o: o.name)
        return [Connector(self, index, family(each._kind), incoming=False) for index, each in enumerate(outs)]

    def create(self, operator_type: Any, name: str) -> OP:
        kind = getattr(operator_type, "_kind", None)
        if isinstance(operator_type, str) or kind is None:
            raise TypeError(f"create takes an operator type such as baseCOMP, got {operator_type!r}")
        if not NAME.match(name):
            raise ValueError(f"operator name {name!r}")
        if name in self._children:
            raise ValueError(f"{self._path} has a {name} already; TouchDesigner would call this one {name}1")
        made = (COMP if family(kind) == "COMP" else OP)(self._world, self, kind, name)
        self._children[name] = made
        return made

    def op(self, path: str) -> OP | None:
        return self._find(path)

    def appendCustomPage(self, name: str) -> Page:
        if name in [page.name for page in self._pages]:
            raise ValueError(f"{self._path} has a page {name!r} already")
        self._pages.append(Page(self, name))
        return self._pages[-1]

    def save(self, path: str, *, createFolders: bool = False) -> str:
        self._world._saved[path] = self
        return path

    def sortCustomPages(self, *names: str) -> None:
        if sorted(names) != sorted(page.name for page in self._pages):
            raise ValueError(f"{self._path} does not have exactly the pages {names}")
        self._pages.sort(key=lambda page: names.index(page.name))

    def destroyCustomPars(self) -> None:
        for page in self.customPages:
            page.destroy()

    def _reinit(self) -> None:
        """The effect of the Re-Init Extensions button."""
        if self._extension is not None and hasattr(self._extension, "onDestroyTD"):
            self._extension.onDestroyTD()
        self._extension = None
        expression = self._pars["ext0object"]._constant
        if expression:
            self._extension = self._evaluate(expression)
            if hasattr(self._extension, "onInitTD"):
                self._extension.onInitTD()
