"""The table of a rehearsal, in docs/windows.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from tests.windows.rooms import LeftOut, Room, left_out

BEGIN, END = "<!-- the last rehearsal -->", "<!-- the end of the last rehearsal -->"
COLUMNS = ("PASSED", "FAILED", "SKIPPED")
KINDS = {"posix": "POSIX by nature", "wine": "a limit of Wine"}


def table(rooms: Iterable[Room], versions: Mapping[str, str], day: date) -> str:
    """Versions, counts by room, and what was left out and why, as Markdown."""
    rooms = list(rooms)
    lines = [f"{day.isoformat()}: {', '.join(f'{name} {version}' for name, version in versions.items())}.", ""]
    lines += ["| Room | Passed | Failed | Skipped |", "| --- | --- | --- | --- |"]
    lines += [_row(room.name, [_count(room, column) for column in COLUMNS]) for room in rooms]
    lines += [_row("**all**", [sum(_count(room, column) for room in rooms) for column in COLUMNS]), ""]
    broken = [test for room in rooms for test in room.broken]
    lines += ["Failed:", "", *(f"- `{test}`" for test in broken), ""] if broken else []
    lines += ["| Left out | Why |", "| --- | --- |", *map(_left_out, left_out())]
    return "\n".join(lines)


def write_table(page: Path, text: str) -> None:
    """Replace what stands between the two marks of the page."""
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", "utf-8")


def _count(room: Room, column: str) -> int:
    return len(room.broken) if column == "FAILED" else room.counts[column]


def _row(name: str, counts: Iterable[int]) -> str:
    return f"| {name} | {' | '.join(map(str, counts))} |"


def _left_out(row: LeftOut) -> str:
    return f"| `{row.what}` | {KINDS[row.kind]}: {row.why} |"
