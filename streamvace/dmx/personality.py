"""The fixture that a light desk patches: which channel steers which parameter. Pure.

Ranges, scales and choices are those of the schema. The order is a list of its own, so that a new parameter moves no
channel of a desk that is patched already: it goes to the end, with a new VERSION. Nothing that names, reads or writes a
file, records, loads a model or ends the show is on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import osc_schema
from osc_schema import Parameter, Value
from streamvace.dmx.packets import SLOTS
from streamvace.midi.shape import LOG, Shape
from streamvace.system.errors import UserError

VERSION: Final = 1
"""Changes with every change of the channels."""
PREFIX: Final = "/streamvace/"
RECALL: Final = "/streamvace/cue/recall"
HALF: Final = 128
"""From here on a switch is on; a trigger fires when its channel comes up to it."""

Depth = Literal["8_bit", "16_bit"]
"""Whether a float takes one channel, or two: coarse, then fine."""

ENABLE: Final = "enable"
CUE_NUMBER: Final = "cue number"

_SHOW: Final = (
    *("cue/go", "cue/back", "cue/revert", "auto_follow", "fade_time", "blackout", "freeze", "pause", "reset"),
    *("quantise", "tempo/tap", "tempo/resync", "tempo/double", "tempo/half"),
)
_LOOK: Final = (
    *("context_scale", "noise_scale", "prompt_transition", "seed/random", "control", "control_kind"),
    *("video_to_video", "follow_motion", "edges/sensitivity", "flow/scale", "lora_strength"),
    *("re_anchor", "re_anchor_auto", "anchor/now"),
)
_MASK: Final = (
    *("mask_source", "mask_invert", "mask/grow", "mask/feather", "mask/luma_low", "mask/luma_high"),
    *("mask/chroma_hue", "mask/chroma_tolerance", "mask/chroma_spill", "mask/motion_sensitivity"),
    *("outpaint/on", "outpaint/x", "outpaint/y", "outpaint/scale"),
)
_OUTPUT: Final = (
    *("output/brightness", "output/saturation", "output/hue", "output/zoom", "output/trail", "output/control"),
    *("output/screen", "output/screen_cells", "output/screen_mix", "output_motion", "composite"),
)
_MODULATOR: Final = ("on", "source", "shape", "rate", "length", "phase", "low", "high", "value", "band", "fire")
_MODULATORS: Final = tuple(f"mod/{number}/{name}" for number in range(1, 5) for name in _MODULATOR)

ORDER: Final = (*_SHOW, *_LOOK, *_MASK, *_OUTPUT, *_MODULATORS)
"""The parameters after the three channels that are none."""


@dataclass(frozen=True)
class Channel:
    """One function of the fixture. at: its first channel, from 1. width: 1, or 2 for coarse and fine. row: what it
    steers; None for `enable` and `cue number`. shape: how it covers the range of the row; None for a trigger."""

    name: str
    at: int
    width: int
    row: Parameter | None = None
    shape: Shape | None = None

    @property
    def presses(self) -> bool:
        """Whether it fires when its level comes up to HALF."""
        return self.row is not None and self.row.type == "trigger"

    def level(self, levels: bytes) -> int:
        """Its level among those of the fixture: 0..255, or 0..65535 if it is 2 wide."""
        return int.from_bytes(levels[self.at - 1 : self.at - 1 + self.width], "big")

    def value(self, level: int) -> Value:
        """What a level means for the row. Only for channels with a shape."""
        assert self.shape is not None
        return self.shape.value(level / (256**self.width - 1))


@lru_cache(maxsize=2)
def channels(depth: Depth) -> tuple[Channel, ...]:
    """The fixture, from its first channel to its last."""
    schema = osc_schema.by_address()
    found = [Channel(ENABLE, 1, 1), Channel(CUE_NUMBER, 2, 1), Channel("cue/recall", 3, 1, schema[RECALL])]
    at = len(found) + 1
    for name in ORDER:
        row = schema[PREFIX + name]
        width = 2 if row.type == "float" and depth == "16_bit" else 1
        found.append(Channel(name, at, width, row, None if row.type == "trigger" else _shape(row)))
        at += width
    return tuple(found)


def named(mode: str) -> Depth:
    """The mode of this name. Raises UserError."""
    if mode not in ("8_bit", "16_bit"):
        raise UserError(f"fixture mode {mode!r}: there are 8_bit and 16_bit")
    return mode  # type: ignore[return-value]


def size(depth: Depth) -> int:
    """How many channels the fixture has."""
    last = channels(depth)[-1]
    return last.at + last.width - 1


def last_start(depth: Depth) -> int:
    """The last channel of a universe at which the fixture can begin."""
    return SLOTS - size(depth) + 1


def meaning(channel: Channel) -> str:
    """What the levels of a channel do, for people."""
    row = channel.row
    if row is None:
        return _SPECIAL[channel.name]
    if row.address == RECALL:
        return f"recalls the cue of that number when it comes up to {HALF}"
    if row.type == "trigger":
        return f"fires when it comes up to {HALF}"
    if row.type == "bool":
        return f"off, on from {HALF}"
    if row.type == "choice":
        return ", ".join(f"{low} {choice}" for low, choice in zip(_bands(row), row.choices, strict=True))
    unit = f" {row.unit}" if row.unit else ""
    doubling = ", each doubling the same way" if row.scale == LOG else ""
    return f"{row.minimum:g} to {row.maximum:g}{unit}{doubling}"


def table(depth: Depth) -> str:
    """The fixture as people patch it."""
    lines = [f"streamvace {depth.replace('_', ' ')}, version {VERSION}: {size(depth)} channels", ""]
    for channel in channels(depth):
        numbers = f"{channel.at}" if channel.width == 1 else f"{channel.at}-{channel.at + channel.width - 1}"
        label = channel.name if channel.row is None else channel.row.label
        lines.append(f"{numbers:>7}  {label:<28} {channel.name:<26} {meaning(channel)}".rstrip())
    return "\n".join(lines)


_SPECIAL: Final[Mapping[str, str]] = {
    ENABLE: f"from {HALF} on, the desk steers; below, nothing changes",
    CUE_NUMBER: "the number of the cue that the next channel recalls, from 1; 0 recalls none",
}


def _shape(row: Parameter) -> Shape:
    low, high = {"bool": (0.0, 1.0), "choice": (0.0, len(row.choices) - 1.0)}.get(
        row.type, (row.minimum or 0.0, row.maximum or 0.0)
    )
    return Shape(row, low, high, LOG if row.scale == LOG else "linear")


def _bands(row: Parameter) -> list[int]:
    """The first level of each choice."""
    shape = _shape(row)
    values = [shape.value(level / 255) for level in range(256)]
    return [values.index(choice) for choice in row.choices]
