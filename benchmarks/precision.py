"""What 16 bits, threads and settings gain on a processor: `python benchmarks/precision.py [--neighbours 1]`.

Runs `benchmarks/chunk.py` for the embedded model in each case of the table, in processes of their own and in turn, so
that other work of the machine slows all of them alike. Run it once on a quiet machine and once beside a busy program,
as in a show: `--neighbours` starts programs that keep one core busy each. ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 shows a
processor without AMX, =AVX512_CORE one without 16-bit products.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from common import arguments, cpu_line, report

BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(1000000))"
"""A program that takes what it gets of one core, until this one ends."""

RAISED = {"MALLOC_MMAP_THRESHOLD_": "1073741824", "MALLOC_TRIM_THRESHOLD_": "2147483648"}
"""glibc keeps large blocks that are freed, instead of giving them back and clearing new ones."""


@dataclass(frozen=True)
class Case:
    """A row. threads: None is the product's own choice. settings: environment variables."""

    precision: str
    threads: int | None = None
    words: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        threads = "own choice" if self.threads is None else str(self.threads)
        return f"{self.precision} | {threads} | {self.words or 'as shipped'}"


CASES = (
    Case("fp32", 2), Case("fp32", 1), Case("fp32"),
    Case("bf16", 2), Case("bf16", 1), Case("bf16"),
    Case("bf16", None, "OpenMP does not spin", {"GOMP_SPINCOUNT": "0"}),
    Case("bf16", None, "OpenMP spins 20,000 times", {"GOMP_SPINCOUNT": "20000"}),
    Case("bf16", None, "malloc thresholds raised", RAISED),
)  # fmt: skip
"""All are compared with the first. Their words name them in the results."""

Times = Mapping[str, Sequence[float]]
"""Milliseconds of each round, by the row's words."""


def measure(cases: Sequence[Case], rounds: int, chunks: int) -> Times:
    """Milliseconds of a median chunk, for each case and round."""
    times: dict[str, list[float]] = {str(case): [] for case in cases}
    for _ in range(rounds):
        for case in cases:
            command = [sys.executable, str(Path(__file__).with_name("chunk.py")), "--json", "--device", "cpu"]
            command += ["--precision", case.precision, "--chunks", str(chunks)]
            command += [] if case.threads is None else ["--threads", str(case.threads)]
            environment = os.environ | case.settings
            said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
            times[str(case)].append(json.loads(said)["chunk_ms_median"])
    return times


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """Busy programs meanwhile."""
    running = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for each in running:
            each.kill()
            each.wait()


def lines(times: Times) -> Iterator[str]:
    """A table row per case; the ratio is the median over the rounds."""
    base = next(iter(times.values()))
    yield "| precision | threads | settings | chunk | of the first row |"
    yield "| --- | --- | --- | --- | --- |"
    for case, each in times.items():
        ratio = statistics.median(a / b for a, b in zip(each, base, strict=True))
        yield f"| {case} | {statistics.median(each):.0f} ms | {ratio:.2f} |"


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--chunks", type=int, default=20)
    parser.add_argument("--neighbours", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with neighbours(given.neighbours):
        times = measure(CASES, given.rounds, given.chunks)
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "all instructions")
    heading = f"{cpu_line()} | {limit} | beside {given.neighbours} busy programs"
    report(given.json, heading, times, lines(times))


if __name__ == "__main__":
    main()
