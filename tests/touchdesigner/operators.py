"""The operators of the simulation, with their parameters by TouchDesigner's scripting names.

From the parameter tables of Derivative's documentation (docs.derivative.ca, as of June 2026). The list is incomplete on
purpose: look a name up in the documentation before you add and use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Kind = str
"""toggle, int, float, str, op, pulse, file; or the names of a menu, separated by spaces, after `menu:`."""

_FORMATS = "useinput rgba8fixed srgba8fixed rgba16float rgba32float rgb10a2fixed rgba16fixed mono8fixed mono32float"
_TOP = {
    "format": f"menu:{_FORMATS}",
    "outputresolution": "menu:useinput eighth quarter half 2x 4x 8x fit limit custom",
    "resolutionw": "int",
    "resolutionh": "int",
}
_DAT_FILE = {
    "file": "file",
    "syncfile": "toggle",
    "loadonstart": "toggle",
    "language": "menu:input node text tscript python glsl",
}
_CHANNELS = "red green blue alpha luminance one zero"
_NOISES = "sparse hermite harmonic random alligator perlin2d perlin3d perlin4d simplex2d simplex3d simplex4d randomgpu"
"""The names with dimensions and `gpu` are made by the graphics card, the others by the processor."""
_INPUTS = " ".join(f"input{index}" for index in range(1, 10))


@dataclass(frozen=True)
class OperatorType:
    """pars: built-in parameters and their kind. inputs: most wires in; `many` operators have as many as are wired.
    blocks: parameter sequences: name to the parameters of one block."""

    pars: Mapping[str, Kind]
    inputs: int = 0
    many: bool = False
    outputs: int = 1
    blocks: Mapping[str, Mapping[str, Kind]] = field(default_factory=dict)


def _reorder() -> dict[str, Kind]:
    pars: dict[str, Kind] = {}
    for colour in ("red", "green", "blue", "alpha"):
        pars[f"output{colour}"] = f"menu:{_INPUTS}"
        pars[f"output{colour}chan"] = f"menu:{_CHANNELS}"
    return pars


TYPES: Mapping[str, OperatorType] = {
    "baseCOMP": OperatorType(
        {
            "reinitextensions": "pulse",
            "parentshortcut": "str",
            "opshortcut": "str",
            "opviewer": "op",
            "nodeview": "menu:default opviewer",
            "externaltox": "file",
            "enableexternaltox": "toggle",
            "reloadcustom": "toggle",
            "reloadbuiltin": "toggle",
            "savebackup": "toggle",
            "subcompname": "str",
            "relpath": "menu:project externaltox",
        },
        blocks={"ext": {"object": "str", "name": "str", "promote": "toggle"}},
    ),
    "containerCOMP": OperatorType({"w": "int", "h": "int"}),
    "windowCOMP": OperatorType({"winop": "op", "winw": "int", "winh": "int", "winopen": "pulse", "winclose": "pulse"}),
    "inTOP": OperatorType({"label": "str", **_TOP}, inputs=1),
    "outTOP": OperatorType({"label": "str", **_TOP}, inputs=1),
    "nullTOP": OperatorType(_TOP, inputs=1),
    "switchTOP": OperatorType({"index": "float", "blend": "toggle", **_TOP}, many=True),
    "reorderTOP": OperatorType({**_reorder(), **_TOP}, many=True),
    "compositeTOP": OperatorType({"operand": "menu:add atop over multiply", **_TOP}, many=True),
    "overTOP": OperatorType(_TOP, inputs=2),
    "constantTOP": OperatorType(
        {"colorr": "float", "colorg": "float", "colorb": "float", "alpha": "float", **_TOP}, inputs=1
    ),
    "noiseTOP": OperatorType(
        {
            "type": f"menu:{_NOISES}",
            "period": "float",
            "amp": "float",
            "offset": "float",
            "tx": "float",
            "ty": "float",
            "tz": "float",
            **_TOP,
        },
        inputs=1,
    ),
    "moviefileinTOP": OperatorType({"file": "file", "play": "toggle", **_TOP}),
    "textTOP": OperatorType({"text": "str", "fontsizex": "float", "bgalpha": "float", "wordwrap": "toggle", **_TOP}),
    "syphonspoutinTOP": OperatorType({"sendername": "str", "usespoutactivesender": "toggle", **_TOP}),
    "syphonspoutoutTOP": OperatorType({"active": "toggle", "sendername": "str", **_TOP}, inputs=1),
    "ndiinTOP": OperatorType(
        {
            "active": "toggle",
            "name": "str",
            "extraips": "str",
            "bandwidth": "menu:high low",
            "hwdecode": "toggle",
            "inputpixelformat": "menu:native fixed8",
            "grouptable": "op",
            "audiobuflen": "float",
            **_TOP,
        }
    ),
    "ndioutTOP": OperatorType(
        {
            "active": "toggle",
            "name": "str",
            "failovername": "str",
            "fps": "float",
            "lowperformancebehavior": "menu:stallmainthread skipframes",
            "outputpixelformat": "menu:fixed8 fixed16",
            "includealpha": "toggle",
            "grouptable": "op",
            "audiochop": "op",
            "metadata": "op",
            **_TOP,
        },
        inputs=1,
    ),
    "constantCHOP": OperatorType({}, blocks={"const": {"name": "str", "value": "float"}}),
    "nullCHOP": OperatorType({}, inputs=1),
    "outCHOP": OperatorType({"label": "str"}, inputs=1),
    "oscinCHOP": OperatorType({"active": "toggle", "netaddress": "str", "port": "int"}),
    "oscoutCHOP": OperatorType({"active": "toggle", "netaddress": "str", "port": "int"}, inputs=1),
    "oscinDAT": OperatorType({"active": "toggle", "address": "str", "port": "int", "callbacks": "op"}),
    "oscoutDAT": OperatorType({"active": "toggle", "address": "str", "port": "int"}),
    "outDAT": OperatorType({"label": "str"}, inputs=1),
    "nullDAT": OperatorType({}, inputs=1),
    "tableDAT": OperatorType(_DAT_FILE),
    "textDAT": OperatorType(_DAT_FILE),
    "executeDAT": OperatorType(
        {
            "active": "toggle",
            "start": "toggle",
            "create": "toggle",
            "exit": "toggle",
            "framestart": "toggle",
            "frameend": "toggle",
            "playstatechange": "toggle",
            "devicechange": "toggle",
            **_DAT_FILE,
        }
    ),
    "parameterexecuteDAT": OperatorType(
        {
            "active": "toggle",
            "op": "op",
            "pars": "str",
            "valuechange": "toggle",
            "valueschanged": "toggle",
            "onpulse": "toggle",
            "expressionchange": "toggle",
            "exportchange": "toggle",
            "enablechange": "toggle",
            "modechange": "toggle",
            "custom": "toggle",
            "builtin": "toggle",
            **_DAT_FILE,
        }
    ),
}
