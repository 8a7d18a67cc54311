"""The component's parameters, read and written. Main thread only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from streamvace_td.launch import Settings, options
from streamvace_td.life import Life
from streamvace_td.osc_packet import Arguments
from streamvace_td.pages import ParSpec
from streamvace_td.td_api import Component, TouchDesigner, par
from streamvace_td.values import from_par

NEXT_START = (
    *("Transport", "Streamname", "Premultiplied", "Oscport", "Size", "Options", "Media", "Python", "Basepython"),
    "Stay",
)
"""The component's own parameters that a running process ignores."""

_BLANK = {"Str": "", "Float": 0.0, "Int": 0, "Toggle": False}


class Panel:
    """What the component's pages hold, and what is shown on them."""

    def __init__(self, owner: Component, td: TouchDesigner, folder: Path, specs: Mapping[str, ParSpec]) -> None:
        """folder: the streamvace folder. specs: the parameters of the address space, by OSC address."""
        self._owner, self._td, self._folder, self._specs = owner, td, folder, specs
        self._shown: dict[str, object] = {}

    def value(self, name: str) -> bool | int | float | str:
        """What a parameter evaluates to."""
        value: bool | int | float | str = par(self._owner, name).eval()
        return value

    def label(self, name: str) -> str:
        """The name of a parameter as users read it."""
        return par(self._owner, name).label

    @property
    def remote(self) -> bool:
        """Whether the process runs on another machine."""
        return self.value("Mode") == "remote"

    def show(self, name: str, value: object) -> bool:
        """Set a parameter unless it has this value already or an expression or export drives it. Whether it was set."""
        target = par(self._owner, name)
        if target.mode != self._td.ParMode.CONSTANT or target.eval() == value:
            return False
        target.val = value
        return True

    def show_state(self, life: Life, connected: bool) -> None:
        """Show the component's own status. connected: whether the process answers."""
        state: dict[str, object] = {
            "State": life.state.value,
            "Message": life.message,
            "Connected": connected,
            "Restarts": life.restarts,
        }
        if state != self._shown:
            self._shown = state
            for name, value in state.items():
                self.show(name, value)

    def show_result(self, outputs: Arguments) -> None:
        """Show the first output of the chosen transport, under the sender name that the process reports."""
        scheme = f"{self.value('Transport')}:"
        names = [str(output).removeprefix(scheme) for output in outputs if str(output).startswith(scheme)]
        if names:
            self.show("Resultname", names[0])

    def clear_status(self) -> None:
        """Blank what the process reports: old numbers must not look current."""
        for spec in self._specs.values():
            if spec.read_only:
                self.show(spec.name, _BLANK[spec.style])

    def held(self) -> dict[str, Arguments]:
        """The values of all writable parameters, by OSC address, without the defaults of modulators that are off."""
        held = {}
        for address, spec in self._specs.items():
            if spec.row is not None and not spec.read_only and spec.style != "Pulse":
                if spec.row.switch and self.value(spec.name) == spec.default and not self._is_on(spec.row.switch):
                    continue
                value = from_par(spec.row, self.value(spec.name))
                if value is not None:
                    held[address] = value
        return held

    def _is_on(self, switch: str) -> bool:
        return bool(self.value(self._specs[switch].name))

    def settings(self) -> Settings:
        """The settings for a process that is started now."""
        media = str(self.value("Media")).strip()
        return Settings(
            folder=self._folder,
            transport=str(self.value("Transport")),
            name=str(self.value("Streamname")),
            premultiplied=bool(self.value("Premultiplied")),
            port=int(self.value("Oscport")),
            parameters=self._load_options(),
            size=str(self.value("Size")),
            options=str(self.value("Options")),
            # Absolute, because the process does not run in the project's folder.
            media=os.path.normpath(os.path.join(self._td.project.folder, media)) if media else "",
            python=str(self.value("Python")).strip(),
            base_python=str(self.value("Basepython")).strip(),
            host_pid=None if self.value("Stay") else os.getpid(),
            host_folder=self._td.app.installFolder,
        )

    def _load_options(self) -> tuple[str, ...]:
        """Options for the parameters that take effect only when a model is loaded."""
        held = self.held()
        rows = [spec.row for spec in self._specs.values() if spec.row is not None and spec.row.applies == "reload"]
        return tuple(option for row in rows if row.address in held for option in options(row, held[row.address]))
