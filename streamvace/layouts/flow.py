"""Parts for rows of the schema, in columns from the top left. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from osc_schema import Parameter
from streamvace.layouts.parts import HEIGHT, PLAIN, WIDTH, Frame, Kind, Part

MARGIN: Final = 8
GAP: Final = 6
"""Between two lines."""
LINE: Final = 40
"""Height of a fader, a switch or a button: a finger's width on a tablet."""
CAPTION: Final = 18
"""Height of the caption above the buttons of a choice."""
NARROWEST: Final = 56
"""Width of one button of a choice."""

_Line = tuple[tuple[Parameter, ...], str]
"""The parameters that share a line, and the colour of their parts."""

_KINDS: Final[dict[str, Kind]] = {
    "float": "fader",
    "int": "fader",
    "bool": "switch",
    "choice": "choice",
    "string": "text",
}


def kind_of(row: Parameter) -> Kind | None:
    """The part for a parameter; None for one that no single part can steer: lists, and actions that need a text."""
    if row.type == "trigger":
        return {"": "button", "choice": "choice"}.get(row.argument)  # type: ignore[return-value]
    return _KINDS.get(row.type)


@dataclass
class _Column:
    x: int
    width: int
    y: int = MARGIN


def columns(lists: Sequence[Sequence[Parameter]], count: int, colours: Sequence[str]) -> tuple[Part, ...]:
    """Lay out lists of parameters in so many columns of about the same height, one list after the other.

    colours: of the parts of each list. Raises ValueError if they do not fit: a page of more parts than fingers find.
    """
    lines = [(pair, colour) for rows, colour in zip(lists, colours, strict=True) for pair in _pairs(rows)]
    room = HEIGHT - 2 * MARGIN
    width = (WIDTH - MARGIN * (count + 1)) // count
    even = sum(max(_height(row, width) for row in pair) + GAP for pair, _ in lines) // count
    for limit in range(min(even, room), room + 1, GAP):
        if parts := _filled(lines, count, width, limit):
            return _stretched(parts)
    return _filled(lines, count, width, room) or _refuse(lines, count)


def column(rows: Sequence[Parameter], number: int, count: int, colour: str) -> tuple[Part, ...]:
    """Lay out parameters in one of so many columns, counted from 0. Raises ValueError if they do not fit."""
    width = (WIDTH - MARGIN * (count + 1)) // count
    lines = [(pair, colour) for pair in _pairs(rows)]
    parts = _filled(lines, 1, width, HEIGHT - 2 * MARGIN) or _refuse(lines, 1)
    right = number * (width + MARGIN)
    return tuple(replace(part, frame=part.frame._replace(x=part.frame.x + right)) for part in parts)


def _stretched(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts as high as the page allows, up to twice the height of a line: easier to hit."""
    used = max(part.frame.y + part.frame.h for part in parts) - MARGIN
    factor = min(2.0, (HEIGHT - 2 * MARGIN) / used)
    return tuple(
        replace(
            part,
            frame=part.frame._replace(
                y=MARGIN + int((part.frame.y - MARGIN) * factor), h=int((part.frame.h + GAP) * factor) - GAP
            ),
        )
        for part in parts
    )


def _refuse(lines: Sequence[_Line], count: int) -> tuple[Part, ...]:
    raise ValueError(f"{len(lines)} lines from {lines[0][0][0].address} on do not fit into {count} columns")


def _filled(lines: Sequence[_Line], count: int, width: int, limit: int) -> tuple[Part, ...]:
    """The parts, with no column higher than the limit; nothing if that takes more columns."""
    places = [_Column(MARGIN + i * (width + MARGIN), width) for i in range(count)]
    parts: list[Part] = []
    current = 0
    for pair, colour in lines:
        height = max(_height(row, width) for row in pair)
        if places[current].y > MARGIN and places[current].y + height > MARGIN + limit:
            current += 1
        if current == count or places[current].y + height > MARGIN + limit:
            return ()
        parts += _placed(pair, places[current], height, colour)
    return tuple(parts)


def _placed(pair: tuple[Parameter, ...], place: _Column, height: int, colour: str) -> Iterable[Part]:
    each = (place.width - MARGIN * (len(pair) - 1)) // len(pair)
    for i, row in enumerate(pair):
        frame = Frame(place.x + i * (each + MARGIN), place.y, each, height)
        kind = kind_of(row)
        assert kind is not None
        lines = _lines(row, each) if kind == "choice" else 0
        yield Part(kind, frame, row.label, colour if kind != "text" else PLAIN, row, lines=lines)
    place.y += height + GAP


def _pairs(rows: Sequence[Parameter]) -> Iterable[tuple[Parameter, ...]]:
    """Two switches or buttons in a row share a line; everything else has its own."""
    waiting: Parameter | None = None
    for row in rows:
        small = kind_of(row) in ("switch", "button")
        if waiting is not None:
            yield (waiting, row) if small else (waiting,)
            waiting = None
            if small:
                continue
        if small:
            waiting = row
        else:
            yield (row,)
    if waiting is not None:
        yield (waiting,)


def _lines(row: Parameter, width: int) -> int:
    """Lines of the buttons of a choice, of the same number each as far as possible."""
    most = max(1, width // NARROWEST)
    return -(-len(row.choices) // most)


def _height(row: Parameter, width: int) -> int:
    return CAPTION + _lines(row, width) * (LINE - 6) if kind_of(row) == "choice" else LINE
