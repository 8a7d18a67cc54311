"""Every border of the program survives its seeds and some hundred damaged copies of them: quick, always the same."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.target import Target, damaged, damaged_json
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]
SEED = "6"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the fuzzer says of all targets, in a process of its own: a decoder that crashes is a finding too."""
    folder = tmp_path_factory.mktemp("findings")
    command = [sys.executable, "-m", "tests.fuzz.run", "all", "--seed", SEED, "--folder", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", TARGETS)
def test_no_damaged_input_gets_past_a_border(name: str, said: str) -> None:
    assert [line for line in said.splitlines() if line.startswith(f"{name}: ") and line.endswith("no finding")], said


BAD = """
import logging, time
from tests.fuzz import run
from tests.fuzz.target import Target

def raising(data): raise KeyError("raised")
def holding(data): len(b"1" * (300 << 20))
def logging_it(data): logging.getLogger("x").error("logged")
def hanging(data): time.sleep(600)

checks = raising, holding, logging_it, hanging
run.TARGETS.clear()
run.TARGETS.update({check.__name__: Target(check.__name__, lambda: [b"ab"], check, rounds=3) for check in checks})
run.main()
"""


def test_what_no_border_promises_is_found_and_the_input_is_kept(tmp_path: Path) -> None:
    words = ["all", "--seed", "1", "--folder", str(tmp_path), "--memory", "200", "--patience", "2"]
    done = subprocess.run([sys.executable, "-c", BAD, *words], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    parts = done.stdout.split("finding after 1 executions: b'ab'")
    assert len(parts) == 4
    for part, name, problem in zip(
        parts[1:], ("raising", "holding", "logging_it"), ("KeyError: 'raised'", "memory grew by", "logged"), strict=True
    ):
        assert problem in part
        kept = next(tmp_path.glob(f"fuzz-{name}-*"))
        assert f"again: python -m tests.fuzz.run {name} {kept}" in part
        assert kept.read_bytes() == b"ab"
    assert "in hanging" in done.stderr
    assert (tmp_path / "fuzz-hanging-1").read_bytes() == b"ab"


def test_the_same_seed_damages_the_same_way() -> None:
    def first(seed: int) -> list[bytes]:
        target = Target("same", lambda: [b'{"a": [1, 2]}', b"binary"], lambda data: None, 0, (damaged, damaged_json))
        inputs: Iterator[bytes] = iter(target.inputs(random.Random(seed)))
        return [next(inputs) for _ in range(50)]

    assert first(6) == first(6) != first(7)
