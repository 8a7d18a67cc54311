"""The component's custom parameters as data: its own, and one page per group of the address space.

The parameters in `osc_schema/parameters.json` are not repeated here. A new row there becomes a parameter when the
component is built again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import osc_schema
from osc_schema import Parameter
from streamvace_td.values import SEPARATOR, ParValue, from_osc, to_par

Style = Literal["Float", "Int", "Toggle", "Str", "StrMenu", "Menu", "Pulse", "Folder"]
"""TouchDesigner's parameter styles, created by `Page.append<Style>`."""

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
"""By the type of a trigger's argument: its name and its default."""
_APPLIES = {
    "now": "Applies immediately",
    "next_tick": "Applies with the next picture",
    "next_chunk": "Applies with the next chunk",
    "reload": "Applies after a reload",
}


@dataclass(frozen=True)
class ParSpec:
    """One custom parameter.

    name: one capital letter, then lower case letters and digits. default: None for a Pulse. minimum, maximum: limits
    of a number, None if open. choices: (name, label) of a Menu. section: whether a line separates it from the one
    above. row: its row in the address space, None for the component's own. argument: the parameter whose value a Pulse
    sends. second: the one whose value it sends behind that, if it is not empty.
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
    second: str = ""


@dataclass(frozen=True)
class PageSpec:
    """A page of custom parameters, in order."""

    name: str
    pars: tuple[ParSpec, ...]


def par_name(row: Parameter) -> str:
    """The row's name in the form that TouchDesigner requires: `status/latency_p50` is `Statuslatencyp50`."""
    return "".join(letter for letter in row.name if letter.isalnum()).capitalize()


def pages(rows: Sequence[Parameter] | None = None) -> tuple[PageSpec, ...]:
    """All pages: the component's own, one per group in the order of the address space, Status, About.

    rows: the address space, by default the project's. Raises ValueError if two parameters or pages share a name.
    """
    rows = osc_schema.load() if rows is None else rows
    writable = [row for row in rows if row.access == "write"]
    outputs = [row for row in rows if row.access == "read"]
    made = [OWN]
    for group in dict.fromkeys(row.group for row in writable):
        made.append(
            PageSpec(
                osc_schema.groups().get(group, group.capitalize()),
                _specs(row for row in writable if row.group == group),
            )
        )
    made.append(PageSpec(STATUS, (*OWN_STATUS, *_specs(outputs))))
    made.append(ABOUT_PAGE)
    names = Counter(spec.name for page in made for spec in page.pars)
    page_names = Counter(page.name for page in made)
    twice = [name for counts in (names, page_names) for name, count in counts.items() if count > 1]
    if twice:
        raise ValueError(f"two parameters or pages of the component are called {', '.join(twice)}; rename an address")
    return tuple(made)


def schema_specs(made: Iterable[PageSpec]) -> dict[str, ParSpec]:
    """The parameters of the address space, by OSC address."""
    return {spec.row.address: spec for page in made for spec in page.pars if spec.row is not None}


def _specs(rows: Iterable[Parameter]) -> tuple[ParSpec, ...]:
    """In order, with a separator where a family of addresses (`mask/grow`, `mask/feather`) begins or ends."""
    specs: list[ParSpec] = []
    family = None
    for row in rows:
        own = row.name.removeprefix("status/").rpartition("/")[0]
        first, *others = _with_argument(row) if row.argument else (_spec(row),)
        specs += [replace(first, section=family is not None and own != family), *others]
        family = own
    return tuple(specs)


def _with_argument(row: Parameter) -> tuple[ParSpec, ...]:
    """A trigger with an argument: the field for its value, one for a second value, and the button."""
    button = _spec(row)
    what, default = _ARGUMENTS[row.argument]
    value = replace(
        button,
        name=f"{button.name}{what}",
        label=f"{row.label}: {what}",
        # A text field with a menu of suggestions.
        style="StrMenu" if row.argument == "string" else _STYLES[row.argument],
        help=f"The value for {row.label}. {row.help}",
        default=default(row),
        row=None,
    )
    button = replace(button, minimum=None, maximum=None, choices=(), argument=value.name)
    if not row.second:
        return value, button
    second = replace(
        value,
        name=f"{button.name}{''.join(letter for letter in row.second if letter.isalnum())}",
        label=f"{row.label}: {row.second}",
        style="Str",
        help=f"The {row.second} for {row.label}; may be empty. {row.help}",
        default="",
    )
    return value, second, replace(button, second=second.name)


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
        parts.append(f"Written as text=weight; items are separated by {SEPARATOR}.")
    elif row.type == "strings" and row.access == "write":
        parts.append(f"Items are separated by {SEPARATOR}.")
    if row.unit:
        parts.append(f"Unit: {row.unit}.")
    if needs := osc_schema.needs_in_words(row):
        parts.append(needs)
    if row.access == "write":
        parts.append(f"{_APPLIES[row.applies]}.")
    return " ".join([*parts, f"OSC: {row.address}"])


TRANSPORTS = (("spout", "Spout (Windows)"), ("syphon", "Syphon (macOS)"), ("ndi", "NDI (any machine)"))
MASK_INPUTS = (("alpha", "Alpha of In 1"), ("second", "In 2"))
MODES = (("here", "Here"), ("remote", "Remote"))

OWN = PageSpec(
    "Streamvace",
    (
        ParSpec("Start", "Start", "Pulse", "Join the process at the address, or start one on this machine."),
        ParSpec(
            "Stop", "Stop", "Pulse", "Stop the process on this machine, or disconnect from one on another machine."
        ),
        ParSpec("Transport", "Transport", "Menu", "How pictures are sent.", "ndi", choices=TRANSPORTS, section=True),
        ParSpec(
            "Streamname",
            "Stream Name",
            "Str",
            "Sender name of the result; the control picture uses the same name with -control. Unique per component.",
            "streamvace",
        ),
        ParSpec(
            "Resultname",
            "Result Name",
            "Str",
            "The sender that Out 1 shows. The process sets it; an NDI name begins with the name of the machine.",
            "",
        ),
        ParSpec(
            "Maskinput",
            "Mask Input",
            "Menu",
            "The mask: alpha of In 1, or the red channel of In 2. White is generated. Also set Mask Source to alpha.",
            "alpha",
            choices=MASK_INPUTS,
        ),
        ParSpec(
            "Premultiplied",
            "Premultiplied Alpha",
            "Toggle",
            "On: colours are multiplied by alpha, in the picture at In 1 and in the result. Off: straight alpha.",
            False,
        ),
        ParSpec(
            "Mode",
            "Mode",
            "Menu",
            "Here: the process runs on this machine. Remote: connect to a process that was started on another machine.",
            "here",
            choices=MODES,
            section=True,
        ),
        ParSpec("Address", "Address", "Str", "Name or IPv4 address of the machine, in Mode Remote.", "127.0.0.1"),
        ParSpec("Oscport", "OSC Port", "Int", "UDP port for OSC to the process. Unique per component.", 7700, 1, 65535),
        ParSpec("Autostart", "Start With Project", "Toggle", "Press Start when the project opens.", False),
        ParSpec("Autorestart", "Restart If It Ends", "Toggle", "Restart the process if it crashes.", True),
        ParSpec(
            "Stay",
            "Stay After TouchDesigner",
            "Toggle",
            "Keep the process running when TouchDesigner closes or crashes; the next project joins it. Applies from "
            "the next start.",
            False,
        ),
        ParSpec(
            "Folder",
            "Folder",
            "Folder",
            "The streamvace folder, absolute or relative to the project.",
            "",
            section=True,
        ),
        ParSpec("Install", "Install", "Pulse", "Install what is missing into the folder's .venv. Start does this too."),
        ParSpec("Size", "Size", "Str", "Picture size such as 512x320; empty: the model's own.", ""),
        ParSpec("Options", "More Options", "Str", "More options of `streamvace run`, as on a command line.", ""),
        ParSpec(
            "Media",
            "Media Folder",
            "Folder",
            "Pictures, cues and films; empty: streamvace/media in your home folder.",
            "",
        ),
        ParSpec("Python", "Python", "Str", "A Python with streamvace installed; empty: the folder's own .venv.", ""),
        ParSpec(
            "Basepython",
            "Base Python",
            "Str",
            "The Python that .venv is created with, 64-bit 3.10 to 3.14; empty: one installed on this machine. Never "
            "TouchDesigner's own, which its updates replace.",
            "",
        ),
    ),
)

OWN_STATUS = (
    ParSpec("State", "Component", "Str", "What the component is doing.", "stopped", read_only=True),
    ParSpec("Message", "Message", "Str", "Progress, or an error with its fix.", "", read_only=True),
    ParSpec("Connected", "Connected", "Toggle", "Whether the process answers.", False, read_only=True),
    ParSpec("Restarts", "Restarts", "Int", "Number of automatic restarts of the process.", 0, read_only=True),
)

HELP_ADDRESS = "https://github.com/streamvace/streamvace/blob/main/docs/touchdesigner.md"
TESTED_WITH = "not yet in TouchDesigner; a simulation of 2023 and 2025"
"""Replaced by the build on which the checklist of docs/touchdesigner.md was passed."""

ABOUT_PAGE = PageSpec(
    ABOUT,
    (
        ParSpec("Help", "Help", "Pulse", "Open the documentation."),
        ParSpec("Report", "Report", "Pulse", "Write a text file to send in with a question, and open it."),
        ParSpec("Version", "Version", "Str", "Version of the component.", "", read_only=True),
        ParSpec("Toxsavebuild", ".tox Save Build", "Str", "TouchDesigner build that saved it.", "", read_only=True),
        ParSpec("Testedwith", "Tested With", "Str", "TouchDesigner build it passed in.", TESTED_WITH, read_only=True),
        ParSpec("Licence", "Licence", "Str", "Licence of streamvace.", "Apache-2.0", read_only=True),
        ParSpec("Helpaddress", "Help Address", "Str", "Documentation and questions.", HELP_ADDRESS, read_only=True),
    ),
)
