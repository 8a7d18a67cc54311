"""The component's custom parameters as data: its own, and a page for each group of the address space.

What is in `osc_schema/parameters.json` is never listed here: a new row there is a new parameter the next time the
component is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import osc_schema
from osc_schema import Parameter
from streamvace_td.values import SEPARATOR, ParValue, from_osc, to_par

Style = Literal["Float", "Int", "Toggle", "Str", "StrMenu", "Menu", "Pulse", "Folder"]
"""TouchDesigner's styles; `Page.append<Style>` makes each."""

STATUS, ABOUT = "Status", "About"

_STYLES: dict[str, Style] = {
    "float": "Float",
    "int": "Int",
    "bool": "Toggle",
    "string": "Str",
    "strings": "Str",
    "weighted": "Str",
    "choice": "Menu",
    "trigger": "Pulse",
}
_ARGUMENTS: dict[str, tuple[str, Callable[[Parameter], ParValue]]] = {
    "string": ("name", lambda row: ""),
    "int": ("number", lambda row: int(row.minimum or 0)),
    "choice": ("which", lambda row: row.choices[0]),
}
"""For the type of a trigger's argument: what it is called, and what stands there first."""
_APPLIES = {"now": "Applies at once", "next_chunk": "Applies with the next chunk", "reload": "Applies after a reload"}


@dataclass(frozen=True)
class ParSpec:
    """One custom parameter.

    name: TouchDesigner's, one capital letter first. default: None for a Pulse. minimum, maximum: hard limits of a
    number, None where open. choices: (name, label) of a Menu. section: a line above it. row: what it stands for in the
    address space, None for the component's own. argument: name of the parameter whose value a Pulse sends along.
    """

    name: str
    label: str
    style: Style
    help: str
    default: ParValue | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[tuple[str, str], ...] = ()
    section: bool = False
    read_only: bool = False
    row: Parameter | None = None
    argument: str = ""


@dataclass(frozen=True)
class PageSpec:
    """A page of custom parameters, in order."""

    name: str
    pars: tuple[ParSpec, ...]


def par_name(row: Parameter) -> str:
    """The only kind of name that TouchDesigner takes: `status/latency_p50` is `Statuslatencyp50`."""
    return "".join(letter for letter in row.name if letter.isalnum()).capitalize()


def pages(rows: Sequence[Parameter] | None = None) -> tuple[PageSpec, ...]:
    """Every page: the component's own first, then a page a group in the order of the address space, Status, About.

    rows: the address space, by default the project's. Raises ValueError when two parameters would get one name.
    """
    rows = osc_schema.load() if rows is None else rows
    writable = [row for row in rows if row.access == "write"]
    outputs = [row for row in rows if row.access == "read"]
    made = [OWN]
    for group in dict.fromkeys(row.group for row in writable):
        made.append(PageSpec(group.capitalize(), _specs(row for row in writable if row.group == group)))
    made.append(PageSpec(STATUS, (*OWN_STATUS, *_specs(outputs))))
    made.append(ABOUT_PAGE)
    names = [spec.name for page in made for spec in page.pars]
    twice = sorted({name for name in names if names.count(name) > 1})
    page_names = [page.name for page in made]
    twice += sorted({name for name in page_names if page_names.count(name) > 1})
    if twice:
        raise ValueError(f"two parameters or pages of the component are called {', '.join(twice)}; rename an address")
    return tuple(made)


def schema_specs(made: Iterable[PageSpec]) -> dict[str, ParSpec]:
    """Those that stand for an address, by it."""
    return {spec.row.address: spec for page in made for spec in page.pars if spec.row is not None}


def _specs(rows: Iterable[Parameter]) -> tuple[ParSpec, ...]:
    """In order; a line above where a family of addresses begins or ends (`mask/grow`, `mask/feather`)."""
    specs: list[ParSpec] = []
    family = None
    for row in rows:
        own = row.name.removeprefix("status/").rpartition("/")[0]
        first, *others = _with_argument(row) if row.argument else (_spec(row),)
        specs += [replace(first, section=family is not None and own != family), *others]
        family = own
    return tuple(specs)


def _with_argument(row: Parameter) -> tuple[ParSpec, ParSpec]:
    """A trigger that acts with a value: what to type in, and the button beside it."""
    button = _spec(row)
    what, default = _ARGUMENTS[row.argument]
    value = replace(
        button,
        name=f"{button.name}{what}",
        label=f"{row.label}: {what}",
        # a text to type or, where there is something to choose from, to pick
        style="StrMenu" if row.argument == "string" else _STYLES[row.argument],
        help=f"What {row.label} acts with. {row.help}",
        default=default(row),
        row=None,
    )
    return value, replace(button, minimum=None, maximum=None, choices=(), argument=value.name)


def _spec(row: Parameter) -> ParSpec:
    default = None if row.default is None else from_osc(row, osc_schema.flat(row.default))
    return ParSpec(
        name=par_name(row),
        label=row.label,
        style=_STYLES[row.type],
        help=_help(row),
        default=None if default is None else to_par(row, default),
        minimum=row.minimum,
        maximum=row.maximum,
        choices=tuple((name, name.replace("_", " ").capitalize()) for name in row.choices),
        read_only=row.access == "read",
        row=row,
    )


def _help(row: Parameter) -> str:
    parts = [row.help]
    if row.type == "weighted":
        parts.append(f"Written as text=weight, several separated by {SEPARATOR}.")
    elif row.type == "strings" and row.access == "write":
        parts.append(f"Several are separated by {SEPARATOR}.")
    if row.unit:
        parts.append(f"Unit: {row.unit}.")
    if row.access == "write":
        parts.append(f"{_APPLIES[row.applies]}.")
    return " ".join([*parts, f"OSC: {row.address}"])


TRANSPORTS = (("spout", "Spout (Windows)"), ("syphon", "Syphon (macOS)"), ("ndi", "NDI (any machine)"))

OWN = PageSpec(
    "Streamvace",
    (
        ParSpec("Start", "Start", "Pulse", "Join the process that answers at the address, or else start one here."),
        ParSpec("Stop", "Stop", "Pulse", "End the process on this machine; let go of one on another machine."),
        ParSpec("Transport", "Transport", "Menu", "How pictures travel.", "ndi", choices=TRANSPORTS, section=True),
        ParSpec(
            "Streamname",
            "Stream Name",
            "Str",
            "The result's sender for Spout, Syphon or NDI; the control picture adds -control. One name a component.",
            "streamvace",
        ),
        ParSpec(
            "Resultname",
            "Result Name",
            "Str",
            "The sender that is shown, filled in by the process itself: for NDI it begins with its machine's name.",
            "",
        ),
        ParSpec(
            "Maskinput",
            "Mask Input",
            "Menu",
            "Where the mask comes from: the alpha of In 1, or the red channel of In 2 (white is generated). Set Mask "
            "Source to alpha as well.",
            "alpha",
            choices=(("alpha", "Alpha of In 1"), ("second", "In 2")),
        ),
        ParSpec(
            "Mode",
            "Mode",
            "Menu",
            "Here: the process is started on this machine. Remote: somebody starts it elsewhere; it is only joined.",
            "here",
            choices=(("here", "Here"), ("remote", "Remote")),
            section=True,
        ),
        ParSpec("Address", "Address", "Str", "The machine of a remote process: its name or IPv4 address.", "127.0.0.1"),
        ParSpec("Oscport", "OSC Port", "Int", "The process listens here for OSC.", 7700, 1, 65535),
        ParSpec("Autostart", "Start With Project", "Toggle", "Press Start when the project opens.", False),
        ParSpec("Autorestart", "Restart If It Ends", "Toggle", "Start it again if it crashes.", True),
        ParSpec(
            "Stay",
            "Stay After TouchDesigner",
            "Toggle",
            "Leave the process running when TouchDesigner closes or crashes; the next project joins it. Counts from "
            "the next start on.",
            False,
        ),
        ParSpec(
            "Folder",
            "Folder",
            "Folder",
            "The streamvace folder, absolute or as seen from the project.",
            "",
            section=True,
        ),
        ParSpec("Install", "Install", "Pulse", "Install what is missing into the folder's .venv. Start does so too."),
        ParSpec("Size", "Size", "Str", "Picture size as 512x320; empty is the model's own.", ""),
        ParSpec("Options", "More Options", "Str", "Further options of streamvace run, as in a console.", ""),
        ParSpec("Media", "Media Folder", "Folder", "Pictures, cues and films; empty is streamvace/media at home.", ""),
        ParSpec("Python", "Python", "Str", "A Python with streamvace installed; empty is the folder's own .venv.", ""),
    ),
)

OWN_STATUS = (
    ParSpec("State", "Component", "Str", "What the component is doing.", "stopped", read_only=True),
    ParSpec("Message", "Message", "Str", "The newest word about it.", "", read_only=True),
    ParSpec("Connected", "Connected", "Toggle", "Whether the process answers.", False, read_only=True),
    ParSpec("Restarts", "Restarts", "Int", "How often it was started again by itself.", 0, read_only=True),
)

ABOUT_PAGE = PageSpec(
    ABOUT,
    (
        ParSpec("Help", "Help", "Pulse", "Open the documentation."),
        ParSpec("Version", "Version", "Str", "Of the component.", "", read_only=True),
        ParSpec("Toxsavebuild", ".tox Save Build", "Str", "TouchDesigner's build that saved it.", "", read_only=True),
    ),
)
