"""The soak: its arithmetic, and that it runs and reports with the fake generator."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.soak_table import Row, growth, moments, quarters, settle_s, table, verdict

ROOT = Path(__file__).resolve().parents[2]
GAUGES = ("rss", "pss", "own", "files", "threads")


def row(minute: float, own: float = 200.0, missed: float = 0.0, restarts: float = 0.0) -> Row:
    """What a soak notes in this minute, in a show of 30 pictures a second."""
    gauges = {f"{process}_{what}": 10.0 for process in ("stage", "worker", "other") for what in GAUGES}
    times = dict.fromkeys(("latency_p50", "latency_p95", "parameter_p50", "shared"), 40.0)
    totals = {"ticks": 1800 * minute - missed, "missed": missed, "worker_restarts": restarts, "recompiles": 0.0}
    return {"s": 60 * minute, **gauges, **times, **totals, "stage_own": own}


def test_growth_counts_only_what_comes_after_the_first_ten_minutes() -> None:
    filling = [row(minute, own=20 * min(minute, 10) + 3 * minute / 60) for minute in range(61)]
    found = growth(filling, "stage_own", settle_s(filling))
    assert found.per_hour == pytest.approx(3)
    assert found.error == pytest.approx(0, abs=1e-6)


def test_noisy_memory_has_a_growth_with_an_error_that_covers_the_truth() -> None:
    chance = random.Random(2)
    noisy = [row(minute, own=200 + 2 * minute / 60 + chance.gauss(0, 1)) for minute in range(61)]
    found = growth(noisy, "stage_own", settle_s(noisy))
    assert 0.3 < found.error < 1
    assert abs(found.per_hour - 2) < 2 * found.error


def test_a_short_soak_settles_for_a_quarter_of_its_time() -> None:
    assert settle_s([row(0), row(8)]) == 120
    assert settle_s([row(0), row(60)]) == 600


def test_every_tick_belongs_to_one_quarter() -> None:
    rows = [row(minute, missed=minute**2) for minute in range(9)]
    missed = [part[-1]["missed"] - before["missed"] for before, part in quarters(rows)]
    assert missed == [4, 12, 20, 28]
    assert sum(missed) == rows[-1]["missed"]


def test_the_table_shows_missed_ticks_by_quarter_and_growth() -> None:
    lines = table([row(minute, own=100 + minute, missed=5.0 * (minute > 30)) for minute in range(61)]).splitlines()
    assert lines[2] == "| ticks missed, of all | 0 of 27000 | 0 of 27000 | 5 of 27000 | 0 of 27000 |  |"
    assert "| stage own, MB | 108.0 | 123.0 | 138.0 | 153.0 | +60.00 ± 0.00 |" in lines
    assert lines[-1] == "60 minutes; growth after the first 10 minutes"


def test_too_few_rows_are_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match="there are 2 rows; let the soak run longer"):
        table([row(0), row(1)])


def test_growth_and_restarts_are_named() -> None:
    steady, growing = ([row(minute, own=100 + rate * minute) for minute in range(61)] for rate in (0.01, 0.1))
    assert verdict(steady, most_growth=1) == []
    assert verdict(growing, most_growth=1) == ["stage_own grows by +6.00 ± 0.00 MB an hour, more than 1"]
    assert verdict([*steady, row(61, own=100.61, restarts=2)], most_growth=1) == ["2 restarts of the worker"]


def test_rows_are_even_and_the_last_one_is_at_the_end() -> None:
    assert moments(150, 60) == [60, 120, 150]
    assert moments(120, 60) == [60, 120]


def test_a_soak_logs_its_rows_and_ends_with_the_table(tmp_path: Path) -> None:
    log = tmp_path / "soak.jsonl"
    command = [sys.executable, "benchmarks/soak.py", "--seconds", "1.5", "--every", "0.3", "--log", str(log)]
    command += ["--most-growth", "1e9", "--", "--factory", "tests.live.fakes:make", "--size", "64x64"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert [row["s"] for row in rows] == [0, 0.3, 0.6, 0.9, 1.2, 1.5]
    last = rows[-1]
    assert last["stage_own"] > 20
    assert last["worker_own"] > 10
    assert min(last[name] for name in ("osc_sent", "osc_received", "pictures", "page_messages")) > 0
    assert table(rows) in done.stdout
    assert last["shared"] > 0 or sys.platform != "linux"
