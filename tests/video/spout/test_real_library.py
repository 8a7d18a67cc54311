"""The sender's side of Spout with the real SpoutGL, on Windows or under Wine (`python -m tests.windows.run video`)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.windows,
    pytest.mark.skipif(sys.platform != "win32", reason="needs SpoutGL; `python -m tests.windows.run video` has it"),
]

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    """What the real SpoutGL did with our sink."""
    command = [sys.executable, "-m", "tests.video.spout_program"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", timeout=300)
    assert run.returncode == 0, run.stderr
    # Spout itself speaks on the same stream.
    report: dict[str, Any] = json.loads(next(line for line in run.stdout.splitlines() if line.startswith("{")))
    return report


def test_the_real_spout_numbers_a_taken_name_and_we_read_it_back(seen: dict[str, Any]) -> None:
    assert seen["names"] == ["spout:sv", "spout:sv_1"]
    assert seen["listed"] == ["sv", "sv_1"]


def test_the_real_sender_is_there_before_the_first_frame(seen: dict[str, Any]) -> None:
    assert seen["opened_size"] == [640, 368]


def test_the_real_sender_survives_changes_of_size_under_its_name(seen: dict[str, Any]) -> None:
    assert seen["resized"] == [640, 368]
    assert (seen["sent"], seen["faults"], seen["last_fault"]) == (40, 0, "")
    assert seen["listed_after_resizing"] == ["sv", "sv_1"]


def test_the_real_sender_is_gone_after_closing(seen: dict[str, Any]) -> None:
    assert seen["listed_after_closing"] == []


def test_the_real_binding_refuses_the_buffers_that_the_fake_refuses(seen: dict[str, Any]) -> None:
    gaps, small = seen["refusals"]
    assert "contiguous" in gaps
    assert "large enough" in small
