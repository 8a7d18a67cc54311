"""How fast chunks are made: `python benchmarks/chunk.py [--pipeline embedded] [--size 256x256] [--chunks 30]`.

In the clock: everything of `Generator.step` - text, encoding control, context branch, denoising, cache pass, decoding
and the transfer to uint8 frames. Not in it: sources, sinks, processes. Only steady chunks count (cache full). The
control-off run takes turns with the control-on run, so a machine whose speed drifts slows both alike.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence

from streamvace.system.idle_threads import sleep_when_idle

sleep_when_idle()  # as `streamvace run` does, and like there before torch is loaded

import numpy as np
import torch

from streamvace.doctor.hardware import hardware_line
from streamvace.records.model_options import ModelOptions
from streamvace.stream.generator import Chunk, ChunkInput, Generator
from streamvace.stream.loading import load_generator


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def moving_control(generator: Generator, chunk: int) -> np.ndarray:
    """A bright disc that drifts: uint8 `[F, H, W, 3]`."""
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


def steady_steps(generator: Generator) -> int:
    """Chunks until the cache is full and shapes no longer change."""
    return -(-generator.spec.cache.window // generator.spec.chunk) + 1


def measure(with_control: Generator, without: Generator, chunks: int) -> dict[str, object]:
    """Paired runs; medians, p95 and the share of each stage."""
    on: list[Chunk] = []
    off: list[Chunk] = []
    for index in range(chunks + steady_steps(with_control)):
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


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pipeline", default="embedded")
    parser.add_argument("--size", default=None, help="WIDTHxHEIGHT, the pipeline's own by default")
    parser.add_argument("--chunks", type=int, default=30)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--attention", default="auto")
    parser.add_argument("--compile", default="off")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    size = tuple(int(side) for side in given.size.split("x")) if given.size else None
    model = ModelOptions(given.device, given.threads, given.precision, given.attention, compile=given.compile)
    pair = [load_generator(given.pipeline, size, model) for _ in range(2)]  # type: ignore[arg-type]
    result = measure(pair[0], pair[1], given.chunks)
    result |= {
        "pipeline": given.pipeline,
        "size": "{}x{}".format(*pair[0].size),
        "hardware": hardware_line(pair[0].device),
        "about": pair[0].about,
    }
    if given.json:
        print(json.dumps(result, indent=1))
        return
    print(result["hardware"])
    print(f"{given.pipeline} {result['size']}, {given.chunks} steady chunks of {result['frames_per_chunk']} frames")
    print(f"chunk: median {result['chunk_ms_median']:.0f} ms, p95 {result['chunk_ms_p95']:.0f} ms")
    print(f"frames/s: median {result['frames_per_second_median']:.1f}, at p95 {result['frames_per_second_p95']:.1f}")
    shares = result["stage_share"]
    assert isinstance(shares, dict)
    print("of the chunk: " + ", ".join(f"{name} {share:.0%}" for name, share in shares.items()))
    print(f"control on / off: {result['control_on_over_off_median']:.2f} (median of pairs)")


if __name__ == "__main__":
    with torch.inference_mode():
        main()
