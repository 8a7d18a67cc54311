"""The table of a rehearsal, in docs/windows.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.windows.rooms import LeftOut, Room, left_out, to_run

BEGIN, END = "<!-- the last rehearsal -->", "<!-- the end of the last rehearsal -->"
COLUMNS = ("PASSED", "FAILED", "SKIPPED")
KINDS = {"posix": "POSIX by nature", "wine": "a limit of Wine", "same": "the same on every system"}


def table(done: Iterable[Room], versions: Mapping[str, str]) -> str:
    """Versions, counts by room, rooms without a run, and what was left out and why, as Markdown."""
    done = list(done)
    lines = [f"{', '.join(f'{name} {version}' for name, version in versions.items())}.", ""]
    lines += ["| Room | Run | Passed | Failed | Skipped |", "| --- | --- | --- | --- | --- |"]
    lines += [_row(room.name, room.day, *(_count(room, column) for column in COLUMNS)) for room in done]
    lines += [_row("**all**", "", *(sum(_count(room, column) for room in done) for column in COLUMNS)), ""]
    missing = [name for name in to_run() if name not in {room.name for room in done}]
    lines += [f"Not run: {', '.join(missing)}.", ""] if missing else []
    broken = [test for room in done for test in room.broken]
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


def _row(*cells: str | int) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _left_out(row: LeftOut) -> str:
    return f"| `{row.what}` | {KINDS[row.kind]}: {row.why} |"
