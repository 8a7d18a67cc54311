"""The table of prices: each row changes what it names, and all are compared with the first."""

from __future__ import annotations

import argparse
import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streamvace.model.specs import pipeline
from streamvace.system.errors import UserError

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


ROWS = {
    "fp32": {
        "ms": 300.0,
        "figures": {
            "depth silhouette": [0.834, 0.05],
            "depth colour": [1.0, 0.0],
            "drift contrast": [0.94, 0.0],
            "edges silhouette": [0.8, 0.04],
        },
    },
    "2 steps": {"ms": 150.0, "figures": {"depth silhouette": [0.75, 0.06]}},
}


def test_the_table_has_a_line_for_each_row_and_a_column_for_what_is_measured(prices: Any) -> None:
    bare = {name: {"ms": row["ms"], "figures": {}} for name, row in ROWS.items()}
    clock = list(prices.lines({"rows": bare}))
    assert clock[2:] == ["| fp32 | 300 ms | 1.00 |", "| 2 steps | 150 ms | 0.50 |"]
    assert list(prices.lines({"rows": ROWS})) == [
        "| option | chunk | of fp32 | IoU | colour | drift: contrast |",
        "| --- | --- | --- | --- | --- | --- |",
        "| fp32 | 300 ms | 1.00 | 0.834 \u00b10.05 | 100% | 0.94 |",
        "| 2 steps | 150 ms | 0.50 | 0.750 \u00b10.06 |  |  |",
        "",
        "| figure | fp32 | 2 steps |",
        "| --- | --- | --- |",
        "| edges silhouette | 0.800 \u00b10.04 |  |",
    ]


def test_what_was_stopped_goes_on_with_the_first_task_that_is_missing(
    prices: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begun() -> Any:
        return prices.begun(tmp_path / "out.json", "a processor", {"clips": 2}, ["fp32", "2 steps"])

    def interrupted(subjects: Any, task: str, *_: object) -> Any:
        for row, _generator in subjects:
            if row.name == "2 steps" and not again:
                raise KeyboardInterrupt
            asked.append((row.name, task))
            yield row.name, f"{task} silhouette", [0.8, 0.1]

    asked: list[tuple[str, str]] = []
    again: list[bool] = []
    monkeypatch.setattr(prices, "figures_of", interrupted)
    rows = {row.name: row for row in prices.ROWS}
    subjects = [(rows["fp32"], None), (rows["2 steps"], None)]
    given = argparse.Namespace(out=tmp_path / "out.json", clips=60, drift=240)
    results = begun()
    for name in ("fp32", "2 steps"):
        results["rows"][name]["ms"] = 500.0
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        prices.judge(subjects, ["depth", "drift"], given, results, said.append)
    again.append(True)
    prices.judge(subjects, ["depth", "drift"], given, begun(), said.append)
    assert asked == [("fp32", "depth"), ("2 steps", "depth"), ("fp32", "drift"), ("2 steps", "drift")]
    assert said == [
        "depth: 2 rows; the chunks to come take 3 minutes",
        "depth: 1 rows; the chunks to come take 2 minutes",
        "drift: 2 rows; the chunks to come take 1 minutes",
    ]
    assert all(len(row["figures"]) == 2 for row in begun()["rows"].values())
    with pytest.raises(
        UserError, match=r"has results of setup \{'clips': 2\}, this is \{'clips': 3\}; name another file"
    ):
        prices.begun(tmp_path / "out.json", "a processor", {"clips": 3}, ["fp32"])


def test_every_task_gives_figures_of_the_row_s_own_generator(prices: Any) -> None:
    row = prices.Price("2 steps", like=replace(prices.PLAIN, denoise_steps=1))
    generator = prices.made(row, 1)
    steps: list[int] = []
    step = generator.step

    def noted(given: Any) -> Any:
        steps.append(given.denoise_steps)
        return step(given)

    generator.step = noted
    said: list[str] = []
    list(prices.figures_of([(row, generator)], "depth", 1, 12, said.append))
    assert steps == [1] * prices.chunks_of("depth", 1, 12)
    assert said[-1] == "depth: 2 steps, on"
