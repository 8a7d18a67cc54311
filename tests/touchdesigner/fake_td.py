"""A simulation of TouchDesigner: its module `td`, its frames and its callbacks, as strict as TouchDesigner.

It does not cover TouchDesigner's speed, the pictures of its operators, and undocumented behaviour.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.touchdesigner.fake_ops import COMP, OP
from tests.touchdesigner.fake_pars import Par, ParMode
from tests.touchdesigner.guard import GUARD, Guarded
from tests.touchdesigner.operators import TYPES


class OperatorClass:
    """`td.inTOP`: what `create` takes."""

    def __init__(self, kind: str) -> None:
        self._kind = kind


class Change(NamedTuple):
    """One entry of `onValuesChanged`."""

    par: Par
    prev: object


class AbsTime(Guarded):
    frame = 0
    seconds = 0.0


class Project(Guarded):
    folder = ""
    cookRate = 60.0


class App(Guarded):
    build, version, installFolder = "2025.32820", "2025.32820", "/opt/derivative/touchdesigner"


class UI(Guarded):
    def __init__(self) -> None:
        self._viewed: list[str] = []

    def viewFile(self, url: str) -> None:
        self._viewed.append(url)


class Finder(Guarded):
    """`op`: finds operators by path. The resources component lives outside the project and its timeline."""

    TDResources: object = None

    def __init__(self, world: FakeTouchDesigner) -> None:
        self._world = world
        self.TDResources = object()

    def __call__(self, path: str) -> OP | None:
        if self._world._loading:
            raise RuntimeError("op() while a DAT's module is being loaded: undefined in TouchDesigner")
        return self._world._at(path)


class FakeTouchDesigner(types.ModuleType):
    """The module `td`, with one open project whose network is `/project1`.

    `frame()` is one frame: callbacks of Execute DATs, then `act` (a user or a CHOP), then the parameter callbacks.
    `callback_s` keeps the times of the callbacks.
    """

    def __init__(self, folder: Path, timer: Callable[[], float] | None = None) -> None:
        super().__init__("td")
        GUARD.__init__()  # type: ignore[misc]  # the thread that opens the project is the main thread
        self._timer = timer
        self.callback_s: list[float] = []
        self.ParMode = ParMode
        self.absTime, self.project, self.app, self.ui = AbsTime(), Project(), App(), UI()
        self.project.folder = str(folder)
        self._pulses: list[Par] = []
        self._seen: dict[int, tuple[Par, object]] = {}
        self._modules: dict[int, tuple[str, types.ModuleType]] = {}
        self._loading = False
        self._runs: list[tuple[float, str, tuple[object, ...], bool]] = []
        self._paused_ms = 0.0
        self._saved: dict[str, COMP] = {}
        """Components by the file they were saved to."""
        self._ids = 0
        self.op = Finder(self)
        for kind in TYPES:
            setattr(self, kind, OperatorClass(kind))
        self._root = COMP(self, None, "baseCOMP", "")
        self._root._path = "/"
        self.network = self._root.create(self.baseCOMP, "project1")

    def __getattr__(self, name: str) -> Any:
        if name.endswith(("TOP", "CHOP", "DAT", "COMP", "SOP", "MAT", "POP")):
            raise AttributeError(f"td has no operator type {name!r}")
        raise AttributeError(name)

    def run(self, script: str, *args: object, delayMilliSeconds: float, delayRef: object) -> None:
        """A delayed script. Its time stands still with the timeline of `delayRef`; that of `op.TDResources` goes on."""
        GUARD.check("run")
        if not isinstance(script, str):
            raise TypeError("a callable needs TouchDesigner 2025; 2023 takes a string")
        self._runs.append((self._now_ms() + delayMilliSeconds, script, args, delayRef is self.op.TDResources))

    # --- time --------------------------------------------------------------------------------------------------------

    def paused_frame(self, act: Callable[[], None] | None = None) -> None:
        """A frame while the timeline is paused: no Execute DAT is called, nor a Parameter Execute DAT."""
        self._paused_ms += 1000 / 60
        if act is not None:
            act()
        self._run_due(paused=True)

    def _now_ms(self) -> float:
        return self.absTime.seconds * 1000 + self._paused_ms

    def _run_due(self, *, paused: bool) -> None:
        due = [each for each in self._runs if each[0] <= self._now_ms() and (each[3] or not paused)]
        self._runs = [each for each in self._runs if each not in due]
        for _, script, args, _ in due:
            eval(script, {"args": args, "op": self.op, "td": self})

    def _next_id(self) -> int:
        self._ids += 1
        return self._ids

    def frame(self, act: Callable[[], None] | None = None) -> None:
        for dat in self._dats("parameterexecuteDAT"):
            self._look(dat)
        self.absTime.frame += 1
        self.absTime.seconds += 1 / 60
        for dat in self._dats("executeDAT"):
            if self._on(dat, "active") and self._on(dat, "framestart"):
                self._call(dat, "onFrameStart", self.absTime.frame)
        self._run_due(paused=False)
        if act is not None:
            act()
        for dat in self._dats("parameterexecuteDAT"):
            if self._on(dat, "active"):
                self._parameter_callbacks(dat)

    def close(self) -> None:
        """TouchDesigner quits."""
        for dat in self._dats("executeDAT"):
            if self._on(dat, "active") and self._on(dat, "exit"):
                self._call(dat, "onExit")

    def _look(self, dat: OP) -> None:
        """From its first frame on, a Parameter Execute DAT knows the values that it watches."""
        target = dat._find(dat._pars["op"].eval())
        for par in target.customPars if isinstance(target, COMP) else ():
            self._seen.setdefault(id(par), (par, par.eval()))

    def _parameter_callbacks(self, dat: OP) -> None:
        target = dat._find(dat._pars["op"].eval())
        assert isinstance(target, COMP), f"{dat._path} watches {dat._pars['op'].eval()!r}"
        watched = (self._on(dat, "custom"), self._on(dat, "builtin"), dat._pars["pars"].eval())
        assert watched == (True, False, "*"), "only this is simulated"
        changes = []
        for par in target.customPars:
            if par._kind == "pulse":
                continue
            value = par.eval()
            _, before = self._seen.get(id(par), (par, value))
            self._seen[id(par)] = (par, value)
            if value != before:
                changes.append(Change(par, before))
        if changes and self._on(dat, "valueschanged"):
            self._call(dat, "onValuesChanged", changes)
        if self._on(dat, "valuechange"):
            for change in changes:
                self._call(dat, "onValueChange", *change)
        pulses = [par for par in self._pulses if par._owner is target and par.isCustom]
        self._pulses = [par for par in self._pulses if par not in pulses]
        if self._on(dat, "onpulse"):
            for par in pulses:
                self._call(dat, "onPulse", par)

    def _call(self, dat: OP, name: str, *arguments: object) -> None:
        function = getattr(self._module(dat), name)
        if self._timer is None:
            function(*arguments)
            return
        begun = self._timer()
        function(*arguments)
        self.callback_s.append(self._timer() - begun)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _module(self, dat: OP) -> types.ModuleType:
        """The DAT's text as a module, reloaded when the text changes."""
        text, module = self._modules.get(id(dat), ("", None))
        if module is None or text != dat.text:
            module = types.ModuleType(dat.name)
            module.__dict__.update(me=dat, parent=dat.parent, op=self.op, td=self)
            sys.modules["td"] = self
            self._loading = True
            try:
                exec(compile(dat.text, dat._path, "exec"), module.__dict__)
            finally:
                self._loading = False
            self._modules[id(dat)] = (dat.text, module)
        return module

    def _at(self, path: str) -> OP | None:
        found: OP | None = self._root
        for name in path.strip("/").split("/"):
            if name and isinstance(found, COMP):
                found = found._children.get(name)
        return found

    def _dats(self, kind: str) -> list[OP]:
        return [each for each in self._all(self._root) if each._kind == kind]

    def _all(self, comp: COMP) -> list[OP]:
        found: list[OP] = []
        for each in comp._children.values():
            found.append(each)
            if isinstance(each, COMP):
                found += self._all(each)
        return found

    def _gone(self, op: OP) -> None:
        if isinstance(op, COMP) and op._extension is not None:
            op._extension.onDestroyTD()
            op._extension = None

    @staticmethod
    def _on(dat: OP, name: str) -> bool:
        return bool(dat._pars[name].eval())
