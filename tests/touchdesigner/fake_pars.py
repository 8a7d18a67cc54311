"""Simulated parameters: typed, named as in TouchDesigner, with modes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from enum import Enum
from typing import TYPE_CHECKING, Any

from tests.touchdesigner.guard import Guarded

if TYPE_CHECKING:
    from tests.touchdesigner.fake_ops import OP


class ParMode(Enum):
    CONSTANT = 0
    EXPRESSION = 1
    EXPORT = 2
    BIND = 3


_EMPTY = {"toggle": False, "int": 0, "float": 0.0, "str": "", "strmenu": "", "op": "", "file": "", "pulse": False}
_TYPES: dict[str, tuple[type, ...]] = {
    "toggle": (bool, int),
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "op": (str,),
    "strmenu": (str,),
    "file": (str,),
}
CUSTOM_NAME = re.compile(r"[A-Z][a-z0-9]*\Z")


class Par(Guarded):
    """One parameter. No `==` with values and no arithmetic; use `eval()` for the value."""

    name = owner = label = help = ""
    min = normMin = 0.0
    max = normMax = 1.0
    clampMin = clampMax = readOnly = startSection = False
    isCustom = False

    def __init__(self, owner: OP, name: str, kind: str) -> None:
        self._owner, self._kind = owner, kind
        self._name = name
        self.name = name
        self.owner = owner
        self._menu: list[str] = kind.removeprefix("menu:").split() if kind.startswith("menu:") else []
        self._labels: list[str] = []
        self._constant: Any = self._menu[0] if self._menu else _EMPTY.get(kind, "")
        self._default: Any = self._constant
        self._expr = self._bind_expr = self._style = ""
        self._page: Page | None = None
        self._mode = ParMode.CONSTANT
        self._export: Callable[[], float] | None = None
        self._pulsed = 0

    @property
    def val(self) -> Any:
        """The constant value, whatever the mode."""
        return self._constant

    @val.setter
    def val(self, value: Any) -> None:
        """Ends an expression, a binding or an export without a word, as TouchDesigner does."""
        self._constant, self._mode = self._checked(value), ParMode.CONSTANT

    @property
    def default(self) -> Any:
        return self._default

    @default.setter
    def default(self, value: Any) -> None:
        self._default = self._checked(value)

    @property
    def expr(self) -> str:
        return self._expr

    @expr.setter
    def expr(self, text: str) -> None:
        compile(text, self._name, "eval")
        self._expr, self._mode = text, ParMode.EXPRESSION

    @property
    def bindExpr(self) -> str:
        return self._bind_expr

    @bindExpr.setter
    def bindExpr(self, text: str) -> None:
        compile(text, self._name, "eval")
        self._bind_expr, self._mode = text, ParMode.BIND

    @property
    def mode(self) -> ParMode:
        return self._mode

    @property
    def page(self) -> Page | None:
        return self._page

    @property
    def style(self) -> str:
        return self._style

    def destroy(self) -> None:
        if self._page is None:
            raise TypeError(f"{self._name} is no custom parameter")
        self._page._pars.remove(self)
        del self._owner._pars[self._name]

    @property
    def menuNames(self) -> list[str]:
        return list(self._menu)

    @menuNames.setter
    def menuNames(self, names: list[str]) -> None:
        if (
            self._kind not in ("menu:", "strmenu")
            or not names
            or not all(isinstance(name, str) and name for name in names)
        ):
            raise TypeError(f"{self._name}: {names!r} are no menu names for a {self._kind}")
        self._menu = list(names)
        if self._kind == "menu:" and self._constant not in self._menu:
            self._constant = self._default = self._menu[0]

    @property
    def menuLabels(self) -> list[str]:
        return list(self._labels)

    @menuLabels.setter
    def menuLabels(self, labels: list[str]) -> None:
        if len(labels) != len(self._menu):
            raise TypeError(f"{self._name}: {len(labels)} labels for {len(self._menu)} names")
        self._labels = list(labels)

    @property
    def menuIndex(self) -> int:
        return self._menu.index(self.eval())

    def eval(self) -> Any:
        if self._mode is ParMode.EXPRESSION:
            return self._checked(self._owner._evaluate(self._expr))
        if self._mode is ParMode.BIND:
            return self._checked(self._owner._evaluate(self._bind_expr).eval())
        if self._mode is ParMode.EXPORT and self._export is not None:
            return self._checked(self._export())
        return self._constant

    def pulse(self) -> None:
        if self._kind != "pulse":
            raise TypeError(f"{self._name} is a {self._kind}, no pulse")
        self._pulsed += 1
        self._owner._pulsed(self)

    def _export_from(self, channel: Callable[[], float]) -> None:
        """The effect of a CHOP's export."""
        self._export, self._mode = channel, ParMode.EXPORT

    def _checked(self, value: Any) -> Any:
        if self._kind.startswith("menu:"):
            if value not in self._menu or not self._owner._offers(self, value):
                raise ValueError(f"{self._owner._path}: {self._name} has no menu entry {value!r}, only {self._menu}")
            return value
        if isinstance(value, bool) and self._kind not in ("toggle", "float", "int"):
            raise TypeError(f"{self._owner._path}: {self._name} is a {self._kind}, got {value!r}")
        if not isinstance(value, _TYPES.get(self._kind, ())):
            raise TypeError(f"{self._owner._path}: {self._name} is a {self._kind}, got {value!r}")
        if self._kind in ("float", "int"):
            if not math.isfinite(value):
                raise ValueError(f"{self._name}: {value!r}")
            value = max(value, self.min) if self.clampMin else value
            value = min(value, self.max) if self.clampMax else value
            return float(value) if self._kind == "float" else int(value)
        return bool(value) if self._kind == "toggle" else value


class Pars(Guarded):
    """`operator.par`: attributes and subscripts; an unknown attribute raises, an unknown subscript is None."""

    def __init__(self, pars: dict[str, Par]) -> None:
        self._pars = pars

    def __getattr__(self, name: str) -> Par:
        if name[0] == "_" or name not in self._pars:
            near = [each for each in self._pars if each.lower() == name.lower()]
            raise AttributeError(f"no parameter {name!r}" + (f"; did you mean {near[0]}?" if near else ""))
        return self._pars[name]

    def __getitem__(self, name: str) -> Par | None:
        return self._pars.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name[0] == "_":
            object.__setattr__(self, name, value)
        else:
            getattr(self, name).val = value


class Page(Guarded):
    """A page of custom parameters."""

    name = ""

    def __init__(self, owner: OP, name: str) -> None:
        self._owner, self._pars = owner, list[Par]()
        self.name = name

    def __iter__(self) -> Iterator[Par]:
        return iter(self._pars)

    @property
    def pars(self) -> list[Par]:
        return list(self._pars)

    def sort(self, *names: str) -> None:
        if sorted(names) != sorted(par.name for par in self._pars):
            raise ValueError(f"page {self.name!r} does not have exactly the parameters {names}")
        self._pars.sort(key=lambda par: names.index(par.name))

    def destroy(self) -> None:
        for par in self.pars:
            par.destroy()
        self._owner._pages.remove(self)  # type: ignore[attr-defined]

    def _append(self, name: str, label: str | None, kind: str, style: str) -> list[Par]:
        if not CUSTOM_NAME.match(name):
            raise ValueError(f"custom parameter {name!r}: one capital letter, then lower case letters and digits")
        if name in self._owner._pars:
            raise ValueError(f"custom parameter {name!r} is there already")
        made = Par(self._owner, name, kind)
        made.label, made.isCustom = label or name, True
        made._page, made._style = self, style
        self._owner._pars[name] = made
        self._pars.append(made)
        return [made]

    def appendFloat(self, name: str, *, label: str | None = None, size: int = 1) -> list[Par]:
        return self._append(name, label, "float", "Float")

    def appendInt(self, name: str, *, label: str | None = None, size: int = 1) -> list[Par]:
        return self._append(name, label, "int", "Int")

    def appendToggle(self, name: str, *, label: str | None = None) -> list[Par]:
        return self._append(name, label, "toggle", "Toggle")

    def appendStr(self, name: str, *, label: str | None = None) -> list[Par]:
        return self._append(name, label, "str", "Str")

    def appendMenu(self, name: str, *, label: str | None = None) -> list[Par]:
        return self._append(name, label, "menu:", "Menu")

    def appendStrMenu(self, name: str, *, label: str | None = None) -> list[Par]:
        return self._append(name, label, "strmenu", "StrMenu")

    def appendPulse(self, name: str, *, label: str | None = None) -> list[Par]:
        return self._append(name, label, "pulse", "Pulse")

    def appendFolder(self, name: str, *, label: str | None = None) -> list[Par]:
        return self._append(name, label, "file", "Folder")


class Sequence(Guarded):
    """A parameter sequence with `numBlocks` blocks of parameters."""

    def __init__(self, owner: OP, name: str, block: dict[str, str], blocks: int) -> None:
        self._owner, self._name, self._block, self._blocks = owner, name, block, 0
        self.numBlocks = blocks

    @property
    def numBlocks(self) -> int:
        return self._blocks

    @numBlocks.setter
    def numBlocks(self, blocks: int) -> None:
        if not isinstance(blocks, int) or blocks < 0:
            raise TypeError(f"numBlocks {blocks!r}")
        for index in range(min(blocks, self._blocks), max(blocks, self._blocks)):
            for suffix, kind in self._block.items():
                name = f"{self._name}{index}{suffix}"
                if index >= blocks:
                    del self._owner._pars[name]
                else:
                    self._owner._pars[name] = Par(self._owner, name, kind)
        self._blocks = blocks
