"""How long a chunk takes: `python benchmarks/chunk.py [--pipeline embedded] [--size 256x256] [--chunks 30]`.

Measures all of `Generator.step`: text, encoding the control, context branch, denoising, cache pass, decoding and the
transfer to uint8 frames. Excludes sources, sinks and processes. Only steady chunks count (cache full). Runs with and
without control alternate, so changes of the machine's speed affect both alike.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from streamvace.system.idle_threads import sleep_when_idle

sleep_when_idle()  # before torch is loaded, as in `streamvace run`

import numpy as np
import torch
from common import generator, model_arguments, report, steady_chunks

from streamvace.doctor.hardware import hardware_line
from streamvace.stream.generator import Chunk, ChunkInput, Generator


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def moving_control(generator: Generator, chunk: int) -> np.ndarray:
    """A bright disc that moves: uint8 `[F, H, W, 3]`."""
    width, height = generator.size
    count = generator.frames_wanted()
    rows, columns = np.mgrid[:height, :width]
    frames = []
    for index in range(count):
        angle = 0.05 * (chunk * 12 + index)
        x, y = width * (0.5 + 0.25 * np.cos(angle)), height * (0.5 + 0.25 * np.sin(angle))
        disc = ((columns - x) ** 2 + (rows - y) ** 2 < (height / 6) ** 2) * 200
        frames.append(np.repeat(disc[..., None], 3, axis=-1).astype(np.uint8))
    return np.stack(frames)


def measure(with_control: Generator, without: Generator, chunks: int) -> dict[str, Any]:
    """Alternating runs: medians, p95 and the share of each stage."""
    on: list[Chunk] = []
    off: list[Chunk] = []
    for index in range(chunks + steady_chunks(with_control)):
        on.append(with_control.step(ChunkInput("red glossy sphere", control=moving_control(with_control, index))))
        off.append(without.step(ChunkInput("red glossy sphere")))
    on, off = on[-chunks:], off[-chunks:]
    totals = [chunk.seconds["total"] for chunk in on]
    frames = len(on[0].frames)
    stages = {
        name: statistics.median(chunk.seconds.get(name, 0.0) for chunk in on) / statistics.median(totals)
        for name in on[0].seconds
        if name != "total"
    }
    ratios = [a.seconds["total"] / b.seconds["total"] for a, b in zip(on, off, strict=True)]
    return {
        "frames_per_chunk": frames,
        "chunks": chunks,
        "chunk_ms_median": 1000 * statistics.median(totals),
        "chunk_ms_p95": 1000 * percentile(totals, 0.95),
        "frames_per_second_median": frames / statistics.median(totals),
        "frames_per_second_p95": frames / percentile(totals, 0.95),
        "stage_share": stages,
        "control_on_over_off_median": statistics.median(ratios),
    }


def lines(given: argparse.Namespace, result: dict[str, Any]) -> Iterator[str]:
    """The result in words."""
    yield f"{given.pipeline} {result['size']}, {given.chunks} steady chunks of {result['frames_per_chunk']} frames"
    yield f"chunk: median {result['chunk_ms_median']:.0f} ms, p95 {result['chunk_ms_p95']:.0f} ms"
    yield f"frames/s: median {result['frames_per_second_median']:.1f}, at p95 {result['frames_per_second_p95']:.1f}"
    yield "of the chunk: " + ", ".join(f"{name} {share:.0%}" for name, share in result["stage_share"].items())
    yield f"control on / off: {result['control_on_over_off_median']:.2f} (median of pairs)"


def main() -> None:
    parser = model_arguments(__doc__)
    parser.add_argument("--chunks", type=int, default=30)
    given = parser.parse_args()
    with_control, without = generator(given), generator(given)
    result = measure(with_control, without, given.chunks)
    size = "{}x{}".format(*with_control.size)
    result |= {"pipeline": given.pipeline, "size": size, "about": with_control.about}
    report(given.json, hardware_line(with_control.device), result, lines(given, result))


if __name__ == "__main__":
    with torch.inference_mode():
        main()
