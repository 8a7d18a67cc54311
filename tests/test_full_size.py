"""A dry run of the full-size benchmark: it writes its files, loads them strictly and runs them at a small size."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "benchmarks" / "full_size.py"


@pytest.mark.parametrize("name", ["self-forcing", "streamdiffusionv2"])
def test_the_benchmark_of_a_pipeline_without_weights_runs_to_its_end(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ["--pipeline", name, "--network", "small", "--size", "64x64", "--chunks", "2", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", [str(PROGRAM), *said])
    monkeypatch.syspath_prepend(str(PROGRAM.parent))  # as when it is started by its path
    runpy.run_path(str(PROGRAM), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    assert "CPU" in lines[0]
    assert lines[2].startswith("transformer: loaded and read in ")
    assert lines[-1].startswith("chunk 1: ")
