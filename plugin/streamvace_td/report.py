"""One text file about a component, to send in with a question. Main thread only.

It has no values of text parameters, because those can be private, and no path of a home folder.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from streamvace_td import VERSION
from streamvace_td.layout import nodes
from streamvace_td.pages import pages
from streamvace_td.td_api import Component, Operator, TouchDesigner

LOG_LINES = 60
"""Last lines of the process's log: a start with its warnings."""
SHOWN = ("State", "Message", "Transport", "Mode", "Maskinput", "Premultiplied", "Oscport", "Statusstate")
"""The component's parameters whose text says nothing about people."""


def write_report(owner: Component, td: TouchDesigner, log: Path, counters: Mapping[str, int]) -> str:
    """Write the report beside the process's log file, and return its path. counters: of the OSC connection."""
    path = log.with_name(f"report-{log.stem}.txt")
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(_lines(owner, td, counters, log)) + "\n"
    home = Path.home()
    for spelling in (str(home), home.as_posix()):  # on Windows, TouchDesigner writes paths with slashes
        text = text.replace(spelling, "~")
    path.write_text(text, "utf-8")
    return str(path)


def _lines(owner: Component, td: TouchDesigner, counters: Mapping[str, int], log: Path) -> Iterator[str]:
    yield f"streamvace {VERSION}, component {owner.path}"
    yield f"TouchDesigner {td.app.build}, Python {platform.python_version()}, {platform.platform()}"
    yield f"interpreter {sys.executable}, installed in {td.app.installFolder}"
    yield ""
    yield "PARAMETERS"
    for spec in (spec for page in pages() for spec in page.pars):
        target = owner.par[spec.name]
        if target is None:
            yield f"{spec.name}: MISSING"
        elif spec.style not in ("Str", "StrMenu", "Folder", "Pulse") or spec.name in SHOWN:
            yield f"{spec.name}: {target.eval()!r} ({str(target.mode).rpartition('.')[2]})"
    yield ""
    yield "OPERATORS"
    for node in nodes(pages()):
        made = owner.op(node.name)
        yield f"{node.name}: " + ("MISSING" if made is None else "; ".join(_operator(made, node.family)))
    yield ""
    yield "CONNECTION"
    yield ", ".join(f"{name} {count}" for name, count in counters.items())
    yield ""
    yield "LOG"
    if log.is_file():
        yield from log.read_text("utf-8", "replace").splitlines()[-LOG_LINES:]


def _operator(made: Operator, family: str) -> Iterator[str]:
    yield made.OPType
    if family == "TOP":
        yield f"{made.width}x{made.height}"
    for what, said in (("error", made.errors()), ("warning", made.warnings())):
        if said:
            yield f"{what}: {' '.join(said.split())}"
