"""The component's inside as data: operators, where they stand, their parameters, their wires. `builder` makes it,
`td_project/draw_networks.py` draws it, and the tests hold the two together.

Coordinates are TouchDesigner's, of a tile's lower left corner, y upwards; a tile is 130 x 90.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from streamvace_td.pages import STATUS, PageSpec


@dataclass(frozen=True)
class Expr:
    """A parameter's value as a Python expression of TouchDesigner."""

    text: str


ParSetting = bool | int | float | str | Expr


@dataclass(frozen=True)
class Node:
    """One operator.

    kind: TouchDesigner's operator type, `inTOP`. x, y: where. comment: what it is for, shown in the network and in the
    drawing. pars: what is not at its default. inputs: names of the nodes wired to it, in order; `name:1` is a second
    output of a component. blocks: lengths of its parameter sequences. file: the script that a DAT follows, below the
    project's root.
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
        """TOP, CHOP, DAT or COMP: what its wires carry."""
        return next(family for family in ("CHOP", "TOP", "DAT", "COMP") if self.kind.endswith(family))


@dataclass(frozen=True)
class Group:
    """A box around nodes of one purpose, for the eye."""

    title: str
    nodes: tuple[str, ...]


# Parameters are evaluated by name: what a bare one does with == and + is up to TouchDesigner.
_NDI = "parent().par.Transport.eval() == 'ndi'"
_LOCAL_TEXTURE = "parent().par.Transport.eval() != 'ndi'"
_CONTROL = "parent().par.Streamname.eval() + '-control'"
_RESULT = "parent().par.Resultname.eval()"

_PICTURES = (
    Node("in1", "inTOP", 0, 600, "control: depth, edges, any picture", {"label": "control"}),
    Node("in2", "inTOP", 0, 450, "mask: white is generated", {"label": "mask"}),
    Node(
        "mask_into_alpha",
        "reorderTOP",
        200,
        450,
        "colours of In 1, In 2's red as alpha",
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
        "with the mask in its alpha",
        {"index": Expr("parent().par.Maskinput.menuIndex")},
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
            # A network that cannot keep up must cost pictures, not TouchDesigner's frame rate.
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
        "whichever transport is chosen",
        {"index": Expr(f"int({_NDI})")},
        ("receive_texture", "receive_ndi"),
    ),
    Node("out1", "outTOP", 400, 200, "the generated picture", {"label": "result"}, ("result",)),
)

_SCRIPTS = (
    Node("extension", "textDAT", 600, 200, "the component's life", file="plugin/td_scripts/extension.py"),
    Node(
        "frame",
        "executeDAT",
        600,
        50,
        "once a frame, and at the end",
        {"active": True, "framestart": True, "exit": True},
        file="plugin/td_scripts/frame.py",
    ),
    Node(
        "parameters",
        "parameterexecuteDAT",
        600,
        -100,
        "when a parameter is turned or pressed",
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
    Group("Picture out", ("in1", "in2", "mask_into_alpha", "control", "send_texture", "send_ndi")),
    Group("Result in", ("receive_texture", "receive_ndi", "result", "out1")),
    Group("Figures and log", ("figures", "out2", "log", "out3")),
    Group("Scripts", tuple(node.name for node in _SCRIPTS)),
)


def nodes(made: Iterable[PageSpec]) -> tuple[Node, ...]:
    """Every operator inside the component. made: its pages, whose numbers among the status become channels."""
    channels = status_channels(made)
    pars: dict[str, ParSetting] = {}
    for index, (channel, name) in enumerate(channels):
        pars[f"const{index}name"] = channel
        pars[f"const{index}value"] = Expr(f"parent().par.{name}.eval()")
    figures = (
        Node("figures", "constantCHOP", 0, -200, "frame rate, latency, beat", pars, blocks={"const": len(channels)}),
        Node("out2", "outCHOP", 200, -200, "the figures", {"label": "figures"}, ("figures",)),
        Node("log", "tableDAT", 0, -350, "the last 200 lines said"),
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
