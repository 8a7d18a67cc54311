"""`streamvace sources`: what can be used as an input, and its current picture; the sound inputs."""

from __future__ import annotations

import json as json_format

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from streamvace.records.frame import Frame
from streamvace.sound.sound_in import devices
from streamvace.system.console import escaped
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import command
from streamvace.video.find import Found, Look, find_all, look_at

_WIDE = 160
"""Columns of output that goes to no terminal."""

COLUMNS, ROWS = 32, 9
"""Size of a thumbnail in characters; each shows two pixels, one above the other."""


def run_sources(seconds: float, thumbnails: bool, as_json: bool) -> int:
    """Print the sources that were found; 0 even if there are none."""
    found, problems = find_all(seconds)
    sounds: tuple[str, ...] = ()
    try:
        sounds = devices()
    except UserError as error:
        problems = {**problems, "sound": str(error)}
    looks = [look_at(each.address, max(seconds, 2.0)) for each in found]
    if as_json:
        print(json_format.dumps({"sources": _rows(found, looks), "sound": sounds, "problems": problems}, indent=2))
        return 0
    console = Console()
    if not console.is_terminal:
        console.width = _WIDE
    nothing = f"No source was found. The built-in pattern needs none: {command('run --input pattern')}"
    console.print(_table(found, looks, thumbnails) if found else nothing, highlight=False)
    if sounds:
        listed = ", ".join(map(escaped, sounds))
        console.print(f"--sound-input takes a part of one of these names: {listed}", highlight=False, markup=False)
    for kind, problem in problems.items():
        console.print(escaped(f"{kind}: {problem}"), style="dim", highlight=False, markup=False)
    return 0


def _rows(found: list[Found], looks: list[Look]) -> list[dict[str, object]]:
    return [
        {
            "kind": each.kind,
            "address": each.address,
            "about": each.about,
            "width": look.size[0],
            "height": look.size[1],
            "picture": look.frame is not None,
            "error": look.error,
        }
        for each, look in zip(found, looks, strict=True)
    ]


def _table(found: list[Found], looks: list[Look], thumbnails: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 1 if thumbnails else 0, 0))
    for heading in ("kind", "--input", "size"):
        table.add_column(heading, no_wrap=True, overflow="ignore")  # an address must not be broken
    table.add_column("about", overflow="fold")
    if thumbnails:
        table.add_column("now", no_wrap=True)
    for each, look in zip(found, looks, strict=True):
        size = f"{look.size[0]}x{look.size[1]}" if all(look.size) else "?"
        about = " ".join(filter(None, (each.about, look.error)))
        # Senders on the network choose their names.
        cells: list[Text] = [Text(escaped(cell)) for cell in (each.kind, each.address, size, about)]
        if thumbnails:
            cells.append(Text("") if look.frame is None else thumbnail(look.frame))
        table.add_row(*cells)
    return table


def thumbnail(frame: Frame, columns: int = COLUMNS, rows: int = ROWS) -> Text:
    """The picture in half blocks: each character shows one pixel in its upper half and one in its lower half."""
    import cv2

    pixels = np.asarray(cv2.resize(frame.pixels, (columns, 2 * rows), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    text = Text()
    for row in range(rows):
        for upper, lower in zip(pixels[2 * row], pixels[2 * row + 1], strict=True):
            text.append("\N{UPPER HALF BLOCK}", Style(color=_colour(upper), bgcolor=_colour(lower)))
        text.append("\n" if row < rows - 1 else "")
    return text


def _colour(pixel: NDArray[np.uint8]) -> str:
    return f"#{pixel[0]:02x}{pixel[1]:02x}{pixel[2]:02x}"
