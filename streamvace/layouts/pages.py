"""The pages of a surface: the stage by hand, all others from the groups of the schema.

What ends the show, loads a model or names a file is on none of them: a surface is played blind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import osc_schema
from osc_schema import Parameter
from streamvace.layouts.flow import MARGIN, column, columns, kind_of
from streamvace.layouts.parts import DARK, GO, PLAIN, STILL, WIDTH, Frame, Kind, Page, Part

CUES: Final = 16
"""Cues with a button of their own: as many names as one status message holds."""

FADERS: Final = (
    *("context_scale", "noise_scale", "output/brightness", "output/saturation", "output/hue", "output/zoom"),
    *("output/trail", "fade_time"),
)
"""The eight faders of the stage."""

LEFT_OUT: Final = frozenset({"quit", "model/reload", "record_file", "first_frame", "last_frame", "mask/model"})
"""On no page, like everything that takes effect with a reload."""

_CUE_H: Final = 72
_PALETTE: Final = ("#b7791f", "#2c7a7b", "#6b46c1", "#3b6ea5", "#8c4a6b")
"""Colours of the groups of a page, in order."""

_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "Look": ("picture", "anchors", "references", "style"),
    "Control": ("control", "signals", "mask", "outpainting"),
    "Output": ("show", "tempo", "cues", "output"),
}
"""Page -> groups of the schema. The effects of the output are on the page of looks; see `_belongs`."""


def pages() -> tuple[Page, ...]:
    """All pages, in the order of their tabs. No parameter is on two of them."""
    stage = Page("Stage", tuple(_stage()))
    taken = {part.address for part in stage.parts}
    by_name = {name: _grouped(name, groups, taken) for name, groups in _GROUPS.items()}
    return (stage, by_name["Look"], by_name["Control"], _modulators(), by_name["Output"])


def _row(name: str) -> Parameter:
    return osc_schema.by_address()[f"/streamvace/{name}"]


def _stage() -> Iterable[Part]:
    yield from _side_by_side(
        "readout", ("status/state", "status/why", "status/fps", "status/error"), (140, 250, 140, 0)
    )
    wide = 152
    for i in range(CUES):
        frame = Frame(MARGIN + i % 4 * (wide + MARGIN), 48 + i // 4 * (_CUE_H + MARGIN), wide, _CUE_H)
        yield Part("cue", frame, f"Cue {i + 1}", PLAIN, number=i + 1)
    x = MARGIN + 4 * (wide + MARGIN)
    yield _steer("readout", "status/cue", Frame(x, 48, 368, 32))
    yield _steer("readout", "status/cue_next", Frame(x, 84, 368, 32))
    yield _steer("button", "cue/go", Frame(x, 124, 368, 112), GO)
    yield _steer("button", "cue/back", Frame(x, 244, 180, 52))
    yield _steer("button", "cue/revert", Frame(x + 188, 244, 180, 52))
    for i, (name, colour) in enumerate((("blackout", DARK), ("freeze", STILL), ("pause", PLAIN))):
        yield _steer("switch", name, Frame(x + i * 125, 304, 117, 56), colour)
    yield from _mix(368)
    for i, name in enumerate(FADERS):
        yield _steer("upright", name, Frame(MARGIN + i * 108, 436, 100, 284), _PALETTE[i // 2 % len(_PALETTE)])
    side = MARGIN + len(FADERS) * 108
    yield _steer("button", "tempo/tap", Frame(side, 436, 144, 104), _PALETTE[0])
    yield _steer("readout", "status/tempo", Frame(side, 548, 144, 40))
    yield _steer("button", "reset", Frame(side, 596, 144, 58), DARK)
    yield _steer("switch", "record", Frame(side, 662, 144, 58), DARK)


def _mix(y: int) -> Iterable[Part]:
    """From prompt A to prompt B."""
    for number, (take, text) in enumerate(((MARGIN, 102), (WIDTH - MARGIN - 86, 676)), 1):
        letter = "AB"[number - 1]
        yield Part("take", Frame(take, y, 86, 60), f"Take {letter}", _PALETTE[2], number=number)
        yield Part("prompt", Frame(text, y, 246, 60), f"Prompt {letter}", PLAIN, number=number)
    yield Part("mix", Frame(356, y, 312, 60), "Prompt A to B", _PALETTE[2])


def _side_by_side(kind: Kind, names: Sequence[str], widths: Sequence[int]) -> Iterable[Part]:
    """A line of parts at the top; the last one takes what is left."""
    x = MARGIN
    for name, width in zip(names, widths, strict=True):
        w = width or WIDTH - MARGIN - x
        yield _steer(kind, name, Frame(x, 8, w, 32))
        x += w + MARGIN


def _steer(kind: Kind, name: str, frame: Frame, colour: str = PLAIN) -> Part:
    row = _row(name)
    return Part(kind, frame, row.label, colour, row)


def _grouped(page: str, groups: Sequence[str], taken: set[str]) -> Page:
    """The basic rows of some groups that the stage does not have."""
    effects = [row for row in _free("output", taken) if row.applies == "next_tick"]
    lists = [[row for row in _free(group, taken) if row not in effects] for group in groups]
    if page == "Look":
        lists.append(effects)
    return Page(page, columns(lists, 3, _PALETTE[: len(lists)]))


def _free(group: str, taken: set[str]) -> list[Parameter]:
    return [
        row
        for row in osc_schema.load()
        if row.group == group
        and row.level == "basic"
        and row.access == "write"
        and row.applies != "reload"
        and row.name not in LEFT_OUT
        and row.address not in taken
        and kind_of(row) is not None
    ]


def _modulators() -> Page:
    """A column for each modulator."""
    (family,) = osc_schema.families()
    parts: list[Part] = []
    for number in range(1, family.count + 1):
        rows = [
            row for row in _free("modulators", set()) if row.number == number and not row.name.endswith("osc_address")
        ]
        parts += column(rows, number - 1, family.count, _PALETTE[number - 1])
    return Page("Modulators", tuple(parts))
