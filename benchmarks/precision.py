"""What a processor gains in 16 bits: `python benchmarks/precision.py [--chunks 24]`.

Runs the embedded model in fp32 and bf16, each with one thread and with two, chunk by chunk in turn, so that other work
of the machine slows all of them alike. Run it once on a quiet machine and once beside a busy program, as in a show.
ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 shows a processor without AMX, =AVX512_CORE one without 16-bit products.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator, Mapping, Sequence

from streamvace.system.idle_threads import sleep_when_idle

sleep_when_idle()  # before torch is loaded, as in `streamvace run`

from chunk import moving_control, percentile

import torch
from common import arguments, report, steady_chunks

from streamvace.doctor.hardware import hardware_line
from streamvace.records.model_options import ModelOptions
from streamvace.stream.generator import ChunkInput
from streamvace.stream.loading import load_generator

CASES = (("fp32", 2), ("fp32", 1), ("bf16", 2), ("bf16", 1))
"""(precision, threads); all are compared with the first."""

Times = Mapping[tuple[str, int], Sequence[float]]


def measure(chunks: int) -> Times:
    """Seconds of each steady chunk."""
    made = {
        name: load_generator("embedded", None, ModelOptions("cpu", precision=name))
        for name in dict.fromkeys(precision for precision, _ in CASES)
    }
    times: dict[tuple[str, int], list[float]] = {case: [] for case in CASES}
    warm = steady_chunks(next(iter(made.values())))
    for index in range(chunks + warm):
        for case in CASES:
            precision, threads = case
            torch.set_num_threads(threads)
            generator = made[precision]
            chunk = generator.step(ChunkInput("red glossy sphere", control=moving_control(generator, index)))
            times[case].append(chunk.seconds["total"])
    return {case: each[warm:] for case, each in times.items()}


def lines(times: Times) -> Iterator[str]:
    """A table row per case; the ratio is the median of pairs."""
    base = times[CASES[0]]
    yield "| precision | threads | chunk, median | p95 | of fp32 with two threads |"
    yield "| --- | --- | --- | --- | --- |"
    for (precision, threads), each in times.items():
        ratio = statistics.median(a / b for a, b in zip(each, base, strict=True))
        milliseconds = (1000 * statistics.median(each), 1000 * percentile(each, 0.95))
        yield "| {} | {} | {:.0f} ms | {:.0f} ms | {:.2f} |".format(precision, threads, *milliseconds, ratio)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--chunks", type=int, default=24)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    hardware = hardware_line(torch.device("cpu"))
    times = measure(given.chunks)
    figures = {f"{precision}, {threads} threads": list(each) for (precision, threads), each in times.items()}
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "all instructions")
    report(given.json, f"{hardware} | {limit}", figures, lines(times))


if __name__ == "__main__":
    with torch.inference_mode():
        main()
