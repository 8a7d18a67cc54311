"""The arithmetic of a soak: rows of one minute each, quarters, and the slope of memory."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

SETTLE_S = 600.0
"""Memory before this is not judged: allocator arenas, windows of figures and caches fill up."""

JUDGED = ("stage_own", "worker_own")
"""Figures whose growth is limited: shared pages come and go with other programs, and an encoder lives for one film."""

Row = Mapping[str, float]
"""Seconds since the start (`s`), totals so far (`ticks`, `missed`), and figures of the moment."""


@dataclass(frozen=True)
class Growth:
    """The growth of a figure in an hour, and its standard error."""

    per_hour: float
    error: float

    def __str__(self) -> str:
        """`+0.31 ± 0.20`."""
        return f"{self.per_hour:+.2f} ± {self.error:.2f}"


def growth(rows: Sequence[Row], name: str, settle_s: float) -> Growth:
    """A least-squares fit of the rows after `settle_s`. Raises ValueError with fewer than three of them."""
    points = [(row["s"] / 3600, row[name]) for row in rows if row["s"] >= settle_s]
    if len(points) < 3:
        raise ValueError(f"growth needs three rows after {settle_s:.0f} s, there are {len(points)}; let it run longer")
    hours, values = zip(*points, strict=True)
    slope, start = statistics.linear_regression(hours, values)
    left = sum((value - start - slope * hour) ** 2 for hour, value in points)
    spread = statistics.pvariance(hours) * len(points)
    return Growth(slope, math.sqrt(left / (len(points) - 2) / spread))


def settle_s(rows: Sequence[Row]) -> float:
    """`SETTLE_S`, or a quarter of a shorter soak."""
    return min(SETTLE_S, rows[-1]["s"] / 4)


def moments(seconds: float, every_s: float) -> list[float]:
    """Seconds from the start to each row: even intervals, the last one at the end."""
    return [min((number + 1) * every_s, seconds) for number in range(math.ceil(seconds / every_s))]


def quarters(rows: Sequence[Row]) -> Iterator[tuple[Row, list[Row]]]:
    """For each quarter of the time: the row that it begins after, and its own rows. The first row only begins."""
    first, length = rows[0]["s"], rows[-1]["s"] - rows[0]["s"]
    for number in range(4):
        low, high = first + length * number / 4, first + length * (number + 1) / 4
        yield [row for row in rows if row["s"] <= low][-1], [row for row in rows if low < row["s"] <= high]


def table(rows: Sequence[Row]) -> str:
    """A table in Markdown: figures by quarter (medians), and their growth. Raises ValueError for too few rows."""
    if len(rows) < 5:
        raise ValueError(f"a table needs a row in each quarter, there are {len(rows)} rows; let the soak run longer")
    parts, after = list(quarters(rows)), settle_s(rows)
    lines = [
        "| What | 1st quarter | 2nd | 3rd | 4th | Growth in an hour |",
        "| --- | --- | --- | --- | --- | --- |",
        _line("ticks missed, of all", [_missed(before, part[-1]) for before, part in parts], ""),
    ]
    for name, unit, digits, judged in SHOWN:
        values = [f"{statistics.median(row[name] for row in part):.{digits}f}" for _, part in parts]
        lines.append(_line(name.replace("_", " ") + unit, values, str(growth(rows, name, after)) if judged else ""))
    return "\n".join([*lines, "", f"{rows[-1]['s'] / 60:.0f} minutes; growth after the first {after / 60:.0f} minutes"])


def verdict(rows: Sequence[Row], most_growth: float) -> list[str]:
    """What is wrong, one line each."""
    grown = {name: growth(rows, name, settle_s(rows)) for name in JUDGED}
    wrong = [
        f"{name} grows by {found} MB an hour, more than {most_growth:g}"
        for name, found in grown.items()
        if found.per_hour > most_growth
    ]
    counted = {"worker_restarts": "restarts of the worker", "recompiles": "recompiles"}
    return wrong + [f"{rows[-1][name]:.0f} {what}" for name, what in counted.items() if rows[-1][name]]


SHOWN = (
    ("stage_rss", ", MB", 1, True),
    ("stage_pss", ", MB", 1, False),
    ("stage_own", ", MB", 1, True),
    ("worker_rss", ", MB", 1, True),
    ("worker_pss", ", MB", 1, False),
    ("worker_own", ", MB", 1, True),
    ("shared", ", MB", 1, True),
    ("stage_files", "", 0, True),
    ("worker_files", "", 0, True),
    ("stage_threads", "", 0, True),
    ("worker_threads", "", 0, True),
    ("latency_p50", ", ms", 0, False),
    ("latency_p95", ", ms", 0, False),
    ("parameter_p50", ", ms", 0, False),
)
"""Figure, its unit, decimals, and whether its growth means something."""


def _missed(before: Row, last: Row) -> str:
    missed, ticks = (last[name] - before[name] for name in ("missed", "ticks"))
    return f"{missed:.0f} of {missed + ticks:.0f}"


def _line(name: str, values: Sequence[str], growth: str) -> str:
    return f"| {' | '.join([name, *values, growth])} |"
