"""The two commands: all parts for those who develop, and those that tell a user what the machine does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from streamvace.bench.parts import PARTS, Part
from streamvace.bench.runner import REPORT, measure
from streamvace.bench.setup import Setup, main_setup
from streamvace.doctor.hardware import hardware_line
from streamvace.model.specs import pipeline
from streamvace.stream.loading import resolve_device
from streamvace.system.console import say

CHUNKS = {"cuda": 30, "cpu": 10}
"""Steady chunks per figure: on a card a minute at most, on a processor as many seconds."""


def run_all(folder: Path, device: str, chunks: int | None, goldens: Path | None, only: Sequence[str] = ()) -> int:
    """`benchmarks/gpu.py`. only: names of parts; none: all. Returns 1 if a part failed or timed out."""
    place = resolve_device(device)
    setup = main_setup(str(place), chunks or CHUNKS.get(place.type, CHUNKS["cpu"]), goldens)
    return _run([part for part in PARTS if not only or part.name in only], setup, folder)


def run_bench(folder: Path, name: str, size: tuple[int, int] | None, device: str, chunks: int | None) -> int:
    """`streamvace bench`. size: (width, height), None: the pipeline's own. Returns 1 if a part failed or timed out."""
    place = resolve_device(device)
    count = chunks or CHUNKS.get(place.type, CHUNKS["cpu"])
    setup = Setup(str(place), name, size or pipeline(name).default_size, count)
    return _run([part for part in PARTS if part.for_users], setup, folder)


def _run(parts: Sequence[Part], setup: Setup, folder: Path) -> int:
    results = measure(parts, setup, folder, hardware_line(resolve_device(setup.device)), say)
    say(f"written: {folder / REPORT}")
    ended = {answer["status"] for answer in results["parts"].values()}
    return 1 if ended & {"failed", "timed out"} else 0
