"""The benchmarks of a show run and report their figures, with the fake generator."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(what: str, *options: str) -> dict[str, Any]:
    command = [sys.executable, "benchmarks/show.py", what, "--json", *options]
    command += ["--", "--factory", "tests.live.fakes:make", "--size", "64x64"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_a_killed_worker_is_counted_and_its_recovery_is_measured() -> None:
    result = run("kills", "--seconds", "2", "--kills", "1")
    assert (result["kills"], result["restarts"]) == (1, 1)
    assert 0 < result["back_to_fresh_s_max"] < 120
    assert result["ticks"] > 30
    assert result["longest_gap_ms"] > 0
    assert "CPU" in result["hardware"]


@pytest.mark.slow
def test_the_cost_of_a_page_is_measured_against_none_and_what_it_was_told_is_counted() -> None:
    result = run("page", "--seconds", "1", "--rounds", "2")
    assert result["page_percent_least"] <= result["page_percent"] <= result["page_percent_most"]
    assert set(result["pictures_per_s"]) == {"output", "control"}
    assert 0 < result["values_of_one_parameter_per_s"] <= 11, "ten times a second, and the window's edges"


@pytest.mark.slow
def test_a_start_is_timed_up_to_the_first_generated_picture() -> None:
    result = run("start", "--starts", "1")
    assert 0 < result["ready_s_median"] < result["first_picture_s_median"] == result["first_picture_s_max"]


@pytest.mark.slow
def test_a_stalled_worker_is_not_restarted() -> None:
    result = run("stall", "--seconds", "8")
    assert result["restarts"] == 0
    assert result["repeated_ticks"] > 100, "five seconds of held pictures"


@pytest.mark.slow
def test_latency_is_reported_for_each_control_timing() -> None:
    result = run("latency", "--seconds", "4")
    for timing in ("smooth", "instant", "ahead"):
        assert result[timing]["parameter_p50_ms"] > 0
        assert result[timing]["latency_p50_ms"] > 0
