"""What a processor gains in 16 bits: `python benchmarks/precision.py [--rounds 3]`.

Runs `benchmarks/chunk.py` for the embedded model in fp32 and bf16, with one thread and with two, each in a process of
its own and in turn, so that other work of the machine slows all of them alike. Run it once on a quiet machine and once
beside a busy program, as in a show. ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 shows a processor without AMX, =AVX512_CORE one
without 16-bit products.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from common import arguments, cpu_line, report

CASES = (("fp32", 2), ("fp32", 1), ("bf16", 2), ("bf16", 1))
"""(precision, threads); all are compared with the first."""

Times = Mapping[tuple[str, int], Sequence[float]]


def measure(rounds: int, chunks: int) -> Times:
    """Milliseconds of a median chunk, for each case and round."""
    times: dict[tuple[str, int], list[float]] = {case: [] for case in CASES}
    for _ in range(rounds):
        for precision, threads in CASES:
            command = [sys.executable, str(Path(__file__).with_name("chunk.py")), "--json", "--device", "cpu"]
            command += ["--precision", precision, "--threads", str(threads), "--chunks", str(chunks)]
            said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            times[precision, threads].append(json.loads(said)["chunk_ms_median"])
    return times


def lines(times: Times) -> Iterator[str]:
    """A table row per case; the ratio is the median over the rounds."""
    base = times[CASES[0]]
    yield "| precision | threads | chunk | of fp32 with two threads |"
    yield "| --- | --- | --- | --- |"
    for (precision, threads), each in times.items():
        ratio = statistics.median(a / b for a, b in zip(each, base, strict=True))
        yield f"| {precision} | {threads} | {statistics.median(each):.0f} ms | {ratio:.2f} |"


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--chunks", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    times = measure(given.rounds, given.chunks)
    figures = {f"{precision}, {threads} threads": list(each) for (precision, threads), each in times.items()}
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "all instructions")
    report(given.json, f"{cpu_line()} | {limit}", figures, lines(times))


if __name__ == "__main__":
    main()
