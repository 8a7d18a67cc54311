"""The results of benchmarks/prices.py: their file, and the tables made of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from streamvace.system.errors import UserError
from streamvace.system.files import replace_file

Results = dict[str, Any]
"""hardware, setup, and by row: ms of a chunk, and figures as [mean, half of the interval] by `TASK JUDGE`."""

COLUMNS = (
    ("IoU", "depth silhouette", "{:.3f} ±{:.2f}"),
    ("colour", "depth colour", "{:.0%}"),
    ("seam", "depth seam", "{:.2f} ±{:.2f}"),
    ("drift: contrast", "drift contrast", "{:.2f}"),
    ("sharpness", "drift sharpness", "{:.2f}"),
)
"""Of the first table: title, figure, and how it is written."""


def begun(path: Path, hardware: str, setup: dict[str, Any], rows: Sequence[str]) -> Results:
    """The results so far, with an entry for each row. Raises UserError if the file holds those of another measurement.

    The clock is measured for all rows together: if one is missing, it begins anew.
    """
    results: Results = {"hardware": hardware, "setup": setup, "rows": {}}
    if path.exists():
        found: Results = json.loads(path.read_text(encoding="utf-8"))
        for name, here in (("hardware", hardware), ("setup", setup)):
            if found.get(name) != here:
                raise UserError(f"{path} has results of {name} {found.get(name)}, this is {here}; name another file")
        results = found
    for name in rows:
        results["rows"].setdefault(name, {"figures": {}})
    return results


def has(row: dict[str, Any], task: str) -> bool:
    """Whether a row has the figures of a task. All of them come at once."""
    return any(figure.startswith(f"{task} ") for figure in row["figures"])


def keep(path: Path, results: Results) -> None:
    """Write all results, or none."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(results, indent=1), encoding="utf-8", newline="\n")
    replace_file(part, path)


def lines(results: Results) -> Iterator[str]:
    """The table of prices, with the columns that are measured, and one of the other tasks."""
    rows = results["rows"]
    first = next(iter(rows.values()))
    columns = [column for column in COLUMNS if column[1] in first["figures"]]
    yield "| option | chunk | of fp32 |" + "".join(f" {title} |" for title, _, _ in columns)
    yield "| --- | --- | --- |" + " --- |" * len(columns)
    for name, row in rows.items():
        cells = [_cell(row["figures"].get(figure), written) for _, figure, written in columns]
        yield " | ".join([f"| {name}", f"{row['ms']:.0f} ms", f"{row['ms'] / first['ms']:.2f}", *cells]) + " |"
    known = {figure for _, figure, _ in COLUMNS}
    others = [figure for figure in first["figures"] if figure not in known]
    if others:
        yield ""
        yield "| figure |" + "".join(f" {name} |" for name in rows)
        yield "| --- |" + " --- |" * len(rows)
        for figure in others:
            cells = [_cell(row["figures"].get(figure), "{:.3f} ±{:.2f}") for row in rows.values()]
            yield " | ".join([f"| {figure}", *cells]) + " |"


def _cell(numbers: Sequence[float] | None, written: str) -> str:
    return "" if numbers is None else written.format(*numbers)
