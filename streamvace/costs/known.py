"""The work of what `doctor` estimates, counted before. `python -m streamvace.costs.known` writes it again.

Counting takes seconds, because PyTorch imports its compiler for the first operation without values.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from streamvace.costs.chunk import Job, chunk_work
from streamvace.costs.work import Work
from streamvace.model.specs import pipeline

FILE = Path(__file__).with_name("known.json")

PIPELINES = ("longlive", "krea-realtime")
"""With control, at their default size."""


def known_work(job: Job) -> dict[str, Work]:
    """The work of a chunk by stage: from the file, or counted."""
    stages = _stored().get(_key(job))
    return chunk_work(job) if stages is None else {stage: Work(*parts) for stage, parts in stages.items()}


def jobs() -> list[Job]:
    """What the file holds."""
    return [Job(pipeline(name), pipeline(name).default_size, control=True) for name in PIPELINES]


def write() -> None:
    """Count, and write the file."""
    counted = {_key(job): {stage: work.parts() for stage, work in chunk_work(job).items()} for job in jobs()}
    FILE.write_text(json.dumps(counted, indent=1) + "\n", encoding="utf-8")


@cache
def _stored() -> dict[str, dict[str, list[float]]]:
    found: dict[str, dict[str, list[float]]] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def _key(job: Job) -> str:
    what = f"{job.spec.name} {job.size[0]}x{job.size[1]} {job.codec}"
    return f"{what} control {job.control} source {job.source} cards {job.cards}"


if __name__ == "__main__":
    write()
