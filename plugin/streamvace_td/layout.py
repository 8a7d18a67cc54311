"""The component's network as data: operators with position, parameters and wires. `builder` creates it and
`td_project/draw_networks.py` draws it; a test compares the two.

Coordinates are TouchDesigner's: the lower left corner of a 130 x 90 tile, y upwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from streamvace_td.pages import STATUS, PageSpec


@dataclass(frozen=True)
class Expr:
    """A parameter driven by a Python expression."""

    text: str


ParSetting = bool | int | float | str | Expr


@dataclass(frozen=True)
class Node:
    """One operator.

    kind: TouchDesigner's operator type, `inTOP`. x, y: position. comment: its purpose, shown in the network and the
    drawing. pars: values that differ from the default. inputs: names of the nodes wired to it, in order; `name:1` is
    the second output of a component. blocks: lengths of its parameter sequences. file: a DAT's script, relative to the
    streamvace folder.
    """

    name: str
    kind: str
    x: int
    y: int
    comment: str = ""
    pars: Mapping[str, ParSetting] = field(default_factory=lambda: MappingProxyType({}))
    inputs: tuple[str, ...] = ()
    blocks: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    file: str = ""

    @property
    def family(self) -> str:
        """TOP, CHOP, DAT or COMP: the type of its wires."""
        return next(family for family in ("CHOP", "TOP", "DAT", "COMP") if self.kind.endswith(family))


@dataclass(frozen=True)
class Group:
    """A box around related nodes in the drawing."""

    title: str
    nodes: tuple[str, ...]


# Always `.eval()`: how a bare Par object behaves with == and + depends on TouchDesigner.
_NDI = "parent().par.Transport.eval() == 'ndi'"
_LOCAL_TEXTURE = "parent().par.Transport.eval() != 'ndi'"
_CONTROL = "parent().par.Streamname.eval() + '-control'"
_RESULT = "parent().par.Resultname.eval()"


def _plain(name: str, y: int, comment: str, grey: float) -> Node:
    """A small picture for an input that is not wired."""
    colour: dict[str, ParSetting] = {"colorr": grey, "colorg": grey, "colorb": grey, "alpha": 1.0}
    size: dict[str, ParSetting] = {"outputresolution": "custom", "resolutionw": 128, "resolutionh": 128}
    return Node(name, "constantTOP", -200, y, comment, {**colour, **size})


_PICTURES = (
    _plain("no_control", 600, "black while In 1 is not wired", 0.0),
    _plain("no_mask", 450, "white while In 2 is not wired", 1.0),
    Node("in1", "inTOP", 0, 600, "control: depth, edges, any picture", {"label": "control"}, ("no_control",)),
    Node("in2", "inTOP", 0, 450, "mask: white is generated", {"label": "mask"}, ("no_mask",)),
    Node(
        "mask_into_alpha",
        "reorderTOP",
        200,
        450,
        "colours of In 1, red of In 2 as alpha",
        {
            "outputred": "input1",
            "outputredchan": "red",
            "outputgreen": "input1",
            "outputgreenchan": "green",
            "outputblue": "input1",
            "outputbluechan": "blue",
            "outputalpha": "input2",
            "outputalphachan": "red",
        },
        ("in1", "in2"),
    ),
    Node(
        "control",
        "switchTOP",
        400,
        600,
        "control, mask in alpha, 8-bit",
        # Spout's receivers refuse mono formats, and clamp float formats.
        {"index": Expr("parent().par.Maskinput.menuIndex"), "format": "rgba8fixed"},
        ("in1", "mask_into_alpha"),
    ),
    Node(
        "send_texture",
        "syphonspoutoutTOP",
        600,
        600,
        "to the process on this machine",
        {"active": Expr(_LOCAL_TEXTURE), "sendername": Expr(_CONTROL)},
        ("control",),
    ),
    Node(
        "send_ndi",
        "ndioutTOP",
        600,
        450,
        "to the process on any machine",
        {
            "active": Expr(_NDI),
            "name": Expr(_CONTROL),
            "includealpha": True,
            # A slow network must drop pictures, not slow TouchDesigner down.
            "lowperformancebehavior": "skipframes",
        },
        ("control",),
    ),
    Node(
        "receive_texture",
        "syphonspoutinTOP",
        0,
        200,
        "from the process on this machine",
        {"sendername": Expr(f"{_RESULT} if {_LOCAL_TEXTURE} else ''")},
    ),
    Node(
        "receive_ndi",
        "ndiinTOP",
        0,
        50,
        "from the process on any machine",
        {
            "active": Expr(_NDI),
            "name": Expr(f"{_RESULT} if {_NDI} else ''"),
            "extraips": Expr("parent().par.Address.eval()"),
        },
    ),
    Node(
        "result",
        "switchTOP",
        200,
        200,
        "the selected transport",
        {"index": Expr(f"int({_NDI})")},
        ("receive_texture", "receive_ndi"),
    ),
    Node("out1", "outTOP", 400, 200, "the generated picture", {"label": "result"}, ("result",)),
)

_SCRIPTS = (
    Node("extension", "textDAT", 600, 200, "creates the extension", file="plugin/td_scripts/extension.py"),
    Node(
        "frame",
        "executeDAT",
        600,
        50,
        "every frame, and on exit",
        {"active": True, "framestart": True, "exit": True},
        file="plugin/td_scripts/frame.py",
    ),
    Node(
        "parameters",
        "parameterexecuteDAT",
        600,
        -100,
        "when a parameter changes or is pressed",
        {
            "active": True,
            "op": "..",
            "pars": "*",
            "valuechange": False,
            "valueschanged": True,
            "onpulse": True,
            "custom": True,
            "builtin": False,
        },
        file="plugin/td_scripts/parameters.py",
    ),
)

GROUPS = (
    Group(
        "Picture out", ("no_control", "no_mask", "in1", "in2", "mask_into_alpha", "control", "send_texture", "send_ndi")
    ),
    Group("Result in", ("receive_texture", "receive_ndi", "result", "out1")),
    Group("Figures and log", ("figures", "out2", "log", "out3")),
    Group("Scripts", tuple(node.name for node in _SCRIPTS)),
)


def nodes(made: Iterable[PageSpec]) -> tuple[Node, ...]:
    """Every operator inside the component. made: its pages; the numbers on the Status page become channels."""
    channels = status_channels(made)
    pars: dict[str, ParSetting] = {}
    for index, (channel, name) in enumerate(channels):
        pars[f"const{index}name"] = channel
        pars[f"const{index}value"] = Expr(f"parent().par.{name}.eval()")
    figures = (
        Node("figures", "constantCHOP", 0, -200, "frame rate, latency, beat", pars, blocks={"const": len(channels)}),
        Node("out2", "outCHOP", 200, -200, "the numbers of the Status page", {"label": "figures"}, ("figures",)),
        Node("log", "tableDAT", 0, -350, "the last 200 log lines"),
        Node("out3", "outDAT", 200, -350, "the log", {"label": "log"}, ("log",)),
    )
    return (*_PICTURES, *figures, *_SCRIPTS)


def status_channels(made: Iterable[PageSpec]) -> Sequence[tuple[str, str]]:
    """(channel, parameter) for every number on the status page: `latency_p50` from `Statuslatencyp50`."""
    [status] = [page for page in made if page.name == STATUS]
    return [
        (spec.name.lower() if spec.row is None else spec.row.name.removeprefix("status/").replace("/", "_"), spec.name)
        for spec in status.pars
        if spec.style in ("Float", "Int", "Toggle")
    ]
