"""Draws the two networks as SVG, from the same data as the builder:

    python td_project/draw_networks.py        writes td_project/component.svg and td_project/project.svg

A test compares the pictures with the layout.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "plugin"), str(HERE.parent)]

import project_layout  # noqa: E402
from streamvace_td import layout  # noqa: E402
from streamvace_td.layout import Group, Node  # noqa: E402
from streamvace_td.pages import pages  # noqa: E402

TILE_W, TILE_H = 130, 90
MARGIN, TITLE = 46, 40
PAD_X, PAD_TOP, PAD_BOTTOM = 20, 34, 46
"""Padding of a group around its tiles; the bottom has room for the comments."""

COLOURS = {"TOP": "#7d6bb3", "CHOP": "#5f9a57", "DAT": "#b0619a", "COMP": "#8a8f98"}
"""Similar to TouchDesigner's colour of each family."""
TYPES = {
    "syphonspoutin": "Syphon Spout In",
    "syphonspoutout": "Syphon Spout Out",
    "ndiin": "NDI In",
    "ndiout": "NDI Out",
    "moviefilein": "Movie File In",
    "parameterexecute": "Parameter Execute",
}
"""Names as TouchDesigner writes them; all others are one word."""

SENDS, RECEIVES = ("syphonspoutoutTOP", "ndioutTOP"), ("syphonspoutinTOP", "ndiinTOP")
"""Operators connected to the streamvace process, drawn with dashed wires."""

GROUND, BOX, TEXT, DIM = "#1d2126", "#272d34", "#e8eaed", "#a4adb8"
FONT = "font-family='Helvetica, Arial, sans-serif'"


def draw(title: str, nodes: Sequence[Node], groups: Iterable[Group], outputs: Mapping[str, int] | None = None) -> str:
    """One network as SVG. outputs: number of outputs by component name, 1 if not listed."""
    by_name = {node.name: node for node in nodes}
    left, right = min(node.x for node in nodes), max(node.x for node in nodes) + TILE_W
    top, bottom = max(node.y for node in nodes) + TILE_H, min(node.y for node in nodes)
    width = right - left + 2 * (MARGIN + PAD_X)
    height = top - bottom + TITLE + PAD_TOP + PAD_BOTTOM + MARGIN + 20

    def place(node: Node) -> tuple[int, int]:
        """Upper left corner in the picture; TouchDesigner's y points upwards."""
        return node.x - left + MARGIN + PAD_X, top - node.y - TILE_H + TITLE + PAD_TOP

    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' "
        f"role='img' aria-label='{escape(title)}'>",
        f"<rect width='{width}' height='{height}' fill='{GROUND}'/>",
        _text(MARGIN, 30, title, 17, TEXT, weight="bold"),
    ]
    parts += [_group(group, [place(by_name[name]) for name in group.nodes]) for group in groups]
    for node in nodes:
        for index, source in enumerate(node.inputs):
            name, _, output = source.partition(":")
            origin = by_name[name]
            out_y = _pin(place(origin)[1], int(output or 0), (outputs or {}).get(name, 1))
            in_y = _pin(place(node)[1], index, len(node.inputs))
            colour = _wire_colour(by_name, node, source)
            parts.append(_wire(place(origin)[0] + TILE_W, out_y, place(node)[0], in_y, colour))
    parts += [_tile(node, *place(node)) for node in nodes]
    parts += [_outside(node, *place(node)) for node in nodes if node.kind in SENDS + RECEIVES]
    if any(node.kind in SENDS for node in nodes):
        parts.append(_text(width - MARGIN, 30, "dashed: to and from the streamvace process", 11, DIM, anchor="end"))
    return "\n".join([*parts, "</svg>", ""])


def _wire_colour(by_name: Mapping[str, Node], node: Node, source: str) -> str:
    """The colour of the wire's family. A component's output has the family of its receiver."""
    family = by_name[source.partition(":")[0]].family
    return COLOURS[node.family if family == "COMP" else family]


def _pin(y: int, index: int, count: int) -> float:
    return y + TILE_H * (index + 1) / (count + 1)


def _wire(x0: float, y0: float, x1: float, y1: float, colour: str) -> str:
    bend = max(26.0, abs(x1 - x0) / 2)
    return (
        f"<path d='M{x0:g},{y0:g} C{x0 + bend:g},{y0:g} {x1 - bend:g},{y1:g} {x1:g},{y1:g}' fill='none' "
        f"stroke='{colour}' stroke-width='2.4'/>"
        f"<circle cx='{x0:g}' cy='{y0:g}' r='3.4' fill='{colour}'/><circle cx='{x1:g}' cy='{y1:g}' r='3.4' "
        f"fill='{colour}'/>"
    )


def _outside(node: Node, x: int, y: int) -> str:
    """A dashed arrow to or from the process."""
    begin, end = (x + TILE_W, x + TILE_W + 42) if node.kind in SENDS else (x - 44, x - 2)
    middle = y + TILE_H / 2
    line = f"stroke='{COLOURS[node.family]}' stroke-width='2.4' stroke-dasharray='5 4'"
    return (
        f"<path d='M{begin},{middle:g} H{end - 7}' fill='none' {line}/>"
        f"<path d='M{end - 8},{middle - 5:g} L{end},{middle:g} L{end - 8},{middle + 5:g} z' "
        f"fill='{COLOURS[node.family]}'/>"
    )


def _tile(node: Node, x: int, y: int) -> str:
    colour = COLOURS[node.family]
    word = node.kind.removesuffix(node.family)
    kind = f"{TYPES.get(word, word.capitalize())} {node.family}"
    lines = textwrap.wrap(node.comment, 27)[:2]
    return "".join(
        [
            f"<rect x='{x}' y='{y}' width='{TILE_W}' height='{TILE_H}' rx='7' fill='#343b44' stroke='{colour}' "
            "stroke-width='2'/>",
            f"<path d='M{x},{y + 26} v-19 a7,7 0 0 1 7,-7 h{TILE_W - 14} a7,7 0 0 1 7,7 v19 z' fill='{colour}'/>",
            _text(x + TILE_W / 2, y + 18, kind, 10.5, "#ffffff", anchor="middle"),
            _text(x + TILE_W / 2, y + 62, node.name, 13, TEXT, anchor="middle", weight="bold"),
            *(
                _text(x + TILE_W / 2, y + TILE_H + 15 + 13 * row, line, 10.5, DIM, anchor="middle")
                for row, line in enumerate(lines)
            ),
        ]
    )


def _group(group: Group, corners: Sequence[tuple[int, int]]) -> str:
    x = min(corner[0] for corner in corners) - PAD_X
    y = min(corner[1] for corner in corners) - PAD_TOP
    width = max(corner[0] for corner in corners) + TILE_W + PAD_X - x
    height = max(corner[1] for corner in corners) + TILE_H + PAD_BOTTOM - y
    box = f"<rect x='{x}' y='{y}' width='{width}' height='{height}' rx='10' fill='{BOX}'/>"
    return box + _text(x + 12, y + 21, group.title, 12.5, DIM, weight="bold")


def _text(
    x: float, y: float, text: str, size: float, colour: str, anchor: str = "start", weight: str = "normal"
) -> str:
    return (
        f"<text x='{x:g}' y='{y:g}' {FONT} font-size='{size:g}' font-weight='{weight}' text-anchor='{anchor}' "
        f"fill='{colour}'>{escape(text)}</text>"
    )


def pictures() -> dict[str, str]:
    """File name to SVG."""
    inside = layout.nodes(pages())
    outs = {"streamvace": sum(node.kind in ("outTOP", "outCHOP", "outDAT") for node in inside)}
    return {
        "component.svg": draw("Inside the streamvace component", inside, layout.GROUPS),
        "project.svg": draw("The example project", project_layout.NODES, project_layout.GROUPS, outs),
    }


if __name__ == "__main__":
    for name, picture in pictures().items():
        (HERE / name).write_text(picture, encoding="utf-8")
        print(f"td_project/{name}")
