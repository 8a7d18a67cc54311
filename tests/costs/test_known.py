"""The work that `doctor` estimates with is what the networks do today."""

from __future__ import annotations

import subprocess
import sys

import pytest

from streamvace.costs.chunk import chunk_work
from streamvace.costs.known import PIPELINES, jobs, known_work
from streamvace.doctor.facts import ESTIMATED

LOOK = """
import sys
from streamvace.doctor.facts import expectation
expectation("NVIDIA GeForce RTX 4090", (8, 9), 128, 24 * 2**30)
assert "torch._dynamo" not in sys.modules
"""


@pytest.mark.parametrize("job", jobs(), ids=lambda job: job.spec.name)
def test_the_stored_work_is_what_is_counted(job: object) -> None:
    """After a change of the networks: python -m streamvace.costs.known."""
    assert known_work(job) == chunk_work(job)  # type: ignore[arg-type]


def test_the_estimate_of_doctor_imports_no_compiler() -> None:
    """Its import takes most of five seconds."""
    assert set(ESTIMATED) <= set(PIPELINES)
    subprocess.run([sys.executable, "-c", LOOK], check=True)
