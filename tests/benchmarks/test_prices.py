"""The table of prices: each row changes what it names, and all are compared with the first."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from streamvace.model.specs import pipeline

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def prices(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("prices")


def test_rows_of_the_pipeline_table_are_changed_and_the_others_are_as_shipped(prices: Any) -> None:
    rows = {row.name: prices.made(row, 1) for row in prices.ROWS if row.window or row.last_step or row.name == "fp32"}
    plain, window, last = rows.values()
    assert plain.spec == pipeline("embedded")
    assert window.spec.cache.window == 3
    assert last.spec.history == "last_step"
    times = prices.time_chunks([(prices.ROWS[0], window)], 1)
    assert times["fp32"] > 0


def test_the_table_has_a_line_for_each_row_and_leaves_out_what_was_not_judged(prices: Any) -> None:
    clock = list(prices.lines({"fp32": {"ms": 300.0}, "2 steps": {"ms": 150.0}}))
    assert clock[2:] == ["| fp32 | 300 ms | 1.00 |", "| 2 steps | 150 ms | 0.50 |"]
    judged = {"silhouette": 0.834, "silhouette interval": 0.05, "colour": 1.0, "seam": 0.98}
    (line,) = list(prices.lines({"fp32": {"ms": 300.0, "contrast": 0.94, "sharpness": 1.0} | judged}))[2:]
    assert line == "| fp32 | 300 ms | 1.00 | 0.83 \u00b10.05 | 100% | 0.98 | 0.94, 1.00 |"
