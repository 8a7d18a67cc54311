"""Does a long stream keep its picture? Brightness, contrast and sharpness of each chunk of the live generator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import cv2
import numpy as np

from streamvace.chunk import ChunkInput, Pixels
from streamvace.drift_watch import DriftWatch
from streamvace.embedded.judge.confidence import Cell, figure
from streamvace.embedded.pattern_stream import PatternStream
from streamvace.embedded.world import FPS
from streamvace.generator import Generator

EDGE = 5
"""Chunks at each end that are compared."""
SWING = 5.0
"""Seconds of control that play forth and back for ever: both ends of the stream then have the same to show."""
PERIOD = round(2 * SWING * FPS)
"""Frames forth and back: 20 chunks of the embedded model. A stream is as many whole ones as it takes."""
STARTS_SHORT = 3
"""Frames that a stream's first chunk is shorter than the others."""
PROMPTS = ("glossy red ball on blue and purple plasma background", "neon cyan ring", "thermal")


@dataclass(frozen=True)
class Drift:
    """Ratios, last chunks over first ones: 1 = nothing changed. anchored: how often the stream was re-anchored."""

    mean: float
    contrast: float
    sharpness: float
    anchored: int = 0


def measures(frames: Pixels) -> tuple[float, float, float]:
    """Mean, deviation and mean absolute Laplacian of a chunk's brightness."""
    gray = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32) for frame in frames]
    sharp = float(np.mean([np.abs(cv2.Laplacian(g, cv2.CV_32F)).mean() for g in gray]))
    stack = np.stack(gray)
    return float(stack.mean()), float(stack.std(axis=(1, 2)).mean()), sharp


def compare(chunks: list[tuple[float, float, float]], anchored: int = 0) -> Drift:
    """The last chunks against the first ones."""
    first, last = (np.mean(part, 0) for part in (chunks[:EDGE], chunks[-EDGE:]))
    ratio = last / np.maximum(first, 1e-6)
    return Drift(float(ratio[0]), float(ratio[1]), float(ratio[2]), anchored)


def drift(generator: Generator, frames: int, prompt: str, seed: int, re_anchor: bool) -> Drift:
    """Stream at least `frames` frames under depth control and compare the ends. The generator is reset first.

    re_anchor: when the picture drifts, the next chunk begins with the stream's own best recent picture, as
    `/streamvace/re_anchor_auto` does.
    """
    generator.reset()
    pattern, watch = PatternStream("depth", generator.size), DriftWatch()
    chunks, done, anchored = [], 0, 0
    while done < PERIOD * -(-frames // PERIOD) - STARTS_SHORT:
        count = generator.frames_wanted()
        times = [(done + k) / FPS % (2 * SWING) for k in range(count)]
        control = np.stack([pattern.frame(min(t, 2 * SWING - t)) for t in times])
        best = watch.best if re_anchor and watch.drifted else None
        if best is not None:
            anchored += 1
            watch.rest()
            watch.try_again()
        made = generator.step(ChunkInput(prompt, seed=seed, control=control, first_frame=best)).frames
        # The control is always the same scene: it must not pass for another one.
        watch.see(made[-1], prompt, None)
        chunks.append(measures(made))
        done += count
    return compare(chunks, anchored)


def drift_cells(
    name: str, generator: Generator, frames: int, seeds: int, progress: Callable[[str], None]
) -> Iterator[Cell]:
    """The variant's cells: each figure over the prompts, without and with re-anchoring."""
    for condition, re_anchor in (("left alone", False), ("re-anchored", True)):
        found: list[list[Drift]] = []
        for seed in range(seeds):
            progress(f"drift: {name}, {condition}, {frames} frames, seed {seed + 1} of {seeds}")
            found.append([drift(generator, frames, prompt, seed + 1, re_anchor) for prompt in PROMPTS])
        for field in fields(Drift):
            values = np.array([[getattr(each, field.name) for each in row] for row in found], np.float64)
            yield Cell(name, f"drift, {frames} frames", condition, field.name, figure(values))
