"""The example project as data: a control picture, a mask, the component, and its outputs."""

from __future__ import annotations

from streamvace_td.layout import Expr, Group, Node, ParSetting

_STATUS = (
    "'{} {:.0f} frames/s  {:.0f} ms'.format(op('streamvace').par.State.eval(), "
    "op('streamvace').par.Statusfps.eval(), op('streamvace').par.Statuslatencyp50.eval())"
)

_SQUARE: dict[str, ParSetting] = {"outputresolution": "custom", "resolutionw": 512, "resolutionh": 512}

NODES = (
    Node(
        "moving_noise",
        "noiseTOP",
        0,
        300,
        "placeholder for your control",
        {"type": "simplex3d", "period": 0.7, "tz": Expr("absTime.seconds * 0.15"), **_SQUARE},
    ),
    Node("your_clip", "moviefileinTOP", 0, 150, "depth, edges, any film: set File"),
    Node("source", "switchTOP", 200, 300, "index 0: noise, 1: clip", {"index": 0}, ("moving_noise", "your_clip")),
    Node(
        "mask",
        "noiseTOP",
        200,
        0,
        "where to generate; used if Mask Input is In 2",
        {"type": "simplex3d", "period": 1.5, "amp": 1.0, **_SQUARE},
    ),
    Node("streamvace", "baseCOMP", 400, 150, "press Start on its first page", inputs=("source", "mask")),
    Node("picture", "nullTOP", 600, 300, "use the picture from here", inputs=("streamvace:0",)),
    Node("figures", "nullCHOP", 600, 150, "frame rate, latency, beat", inputs=("streamvace:1",)),
    Node("log", "nullDAT", 600, 0, "the log of component and process", inputs=("streamvace:2",)),
    Node(
        "status",
        "textTOP",
        800,
        150,
        "state, frame rate, latency",
        {"text": Expr(_STATUS), "fontsizex": 18.0, "bgalpha": 0.0, **_SQUARE},
    ),
    Node("program", "overTOP", 1000, 300, "picture with the status on it", inputs=("status", "picture")),
    Node("screen", "windowCOMP", 1200, 300, "pulse Open As Window", {"winop": Expr("me.parent().op('program').path")}),
)

GROUPS = (
    Group("Your inputs", ("moving_noise", "your_clip", "source", "mask")),
    Group("The component", ("streamvace",)),
    Group("Outputs", ("picture", "figures", "log")),
    Group("On the screen", ("status", "program", "screen")),
)
