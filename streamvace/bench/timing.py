"""Times, peaks and profiles of steady chunks."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from streamvace.bench.networks import make_generator
from streamvace.bench.setup import Figures
from streamvace.costs.cards import find_card
from streamvace.costs.chunk import Job
from streamvace.costs.estimate import CAPTURED, COMPILED, EAGER, Stack, chunk_seconds
from streamvace.records.chunk import Chunk
from streamvace.records.model_options import ModelOptions
from streamvace.stream.generator import Generator
from streamvace.stream.rehearsal import rehearsal_input

CONTROL = ("control",)
TOP_KERNELS = 12
"""Rows of a profile."""


def run_chunks(
    generator: Generator, count: int, pictures: Sequence[str] = CONTROL, others: Mapping[str, Any] | None = None
) -> list[Chunk]:
    """`count` chunks with black pictures in these fields of ChunkInput and these values in others."""
    regional = generator.networks.loras.has_side
    return [
        generator.step(
            rehearsal_input(tuple(pictures), dict(others or {}), generator.frames_wanted(), generator.size, regional)
        )
        for _ in range(count)
    ]


def settle(generator: Generator) -> None:
    """Fill the cache: from then on the shapes do not change."""
    run_chunks(generator, -(-generator.spec.cache.window // generator.spec.chunk) + 1)


def chunk_figures(chunks: Sequence[Chunk]) -> Figures:
    """Milliseconds and frames per second; stages are medians."""
    seconds = sorted(chunk.seconds["total"] for chunk in chunks)
    frames = len(chunks[0].frames)
    stages = {
        name: round(1000 * statistics.median(chunk.seconds.get(name, 0.0) for chunk in chunks), 2)
        for name in chunks[0].seconds
        if name != "total"
    }
    return {
        "frames": frames,
        "chunks": len(chunks),
        "median_ms": round(1000 * statistics.median(seconds), 2),
        "p95_ms": round(1000 * seconds[min(int(0.95 * len(seconds)), len(seconds) - 1)], 2),
        "fps": round(frames * len(seconds) / sum(seconds), 2),
        "peak_fps": round(frames / seconds[0], 2),
        "stages_ms": stages,
    }


def measure_pipeline(
    name: str, size: tuple[int, int], options: ModelOptions, count: int, others: Mapping[str, Any] | None = None
) -> tuple[Generator, Figures]:
    """A warm generator with control, and the figures of `count` steady chunks.

    The clock of a chunk holds all of `Generator.step`: encoding the control, context branch, denoising, cache pass,
    decoding, and the download of the frames. No source, sink or control network.
    """
    on_card = options.device.startswith("cuda")
    if on_card:
        torch.cuda.reset_peak_memory_stats()
    begun = time.perf_counter()
    generator, weights = make_generator(name, size, options)
    loaded = time.perf_counter()
    if generator.warms_up:
        generator.warm_up()
    settle(generator)
    warm = time.perf_counter()
    figures = chunk_figures(run_chunks(generator, count, CONTROL, others))
    figures |= {"pipeline": name, "size": "{}x{}".format(*size), "weights": weights, "about": generator.about}
    figures |= {"load_s": round(loaded - begun, 1), "warm_up_s": round(warm - loaded, 1)}
    if on_card:
        figures["peak_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
        figures["reserved_gb"] = round(torch.cuda.max_memory_reserved() / 1e9, 2)
        figures["estimated_ms"] = estimate_ms(generator, options)
    return generator, figures


def estimate_ms(generator: Generator, options: ModelOptions) -> float | None:
    """What the model of costs says of a chunk with control; None for 8-bit weights, which it does not know."""
    if options.precision in ("int8", "fp8"):
        return None
    stack: Stack = EAGER if options.cuda_graphs == "off" else CAPTURED
    if options.compile != "off":
        stack = COMPILED
    card = torch.cuda.get_device_properties(generator.device)
    row, _ = find_card(card.name, (card.major, card.minor), card.multi_processor_count)
    codec = "wan-vae" if type(generator.networks.codec).__name__ == "WanVAE" else "taehv"
    return round(1000 * chunk_seconds(Job(generator.spec, generator.size, control=True, codec=codec), row, stack), 1)


def profile(generator: Generator) -> Figures:
    """Operations of one steady chunk that take longest, by their own time, and the number of kernels on a card."""
    on_card = generator.device.type == "cuda"
    activities = [torch.profiler.ProfilerActivity.CPU]
    activities += [torch.profiler.ProfilerActivity.CUDA] if on_card else []
    with torch.profiler.profile(activities=activities) as seen:
        run_chunks(generator, 1)
    averages = seen.key_averages()

    def own_us(event: Any) -> float:
        return float(event.self_device_time_total if on_card else event.self_cpu_time_total)

    whole = sum(own_us(event) for event in averages) or 1.0
    rows = [
        {"operation": event.key[:80], "calls": event.count, "ms": round(own_us(event) / 1000, 2),
         "share": round(own_us(event) / whole, 3)}
        for event in sorted(averages, key=own_us, reverse=True)[:TOP_KERNELS]
    ]  # fmt: skip
    kernels = sum("CUDA" in str(event.device_type) for event in seen.events() or ())
    return {"rows": rows, "kernels": kernels if on_card else None}
