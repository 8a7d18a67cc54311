"""Drift of a long stream: brightness, contrast and sharpness of the live generator's chunks, last against first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np

from streamvace.embedded.evaluation.confidence import Cell, figure
from streamvace.embedded.evaluation.trials import PLAIN
from streamvace.embedded.train.network import CHUNK
from streamvace.records.chunk import ChunkInput, Pixels
from streamvace.stream.generator import Generator
from streamvace.telemetry.drift_watch import DriftWatch
from streamvace.world.pattern_stream import PatternStream
from streamvace.world.scene import FPS

EDGE = 5
"""Number of chunks compared at each end."""
SWING = 5.0
"""Seconds of control that play forwards and backwards forever, so that both ends of the stream show the same scene."""
PERIOD = round(2 * SWING * FPS)
"""Frames of one swing forwards and backwards: 20 chunks of the embedded model. A stream has whole periods."""
STARTS_SHORT = 3
"""Frames by which a stream's first chunk is shorter than the others."""
TURN = STARTS_SHORT + 0.5
"""Frames from the turn of the control to the first frame: the n-th chunk from the end is then the n-th chunk played
backwards. Shifted by half a chunk, the scene itself has a seventh less contrast at one end."""
PROMPTS = ("glossy red ball on blue and purple plasma background", "neon cyan ring", "thermal")


@dataclass(frozen=True)
class Drift:
    """Ratios of last to first chunks; 1 = no change. anchored: how often the stream was re-anchored."""

    mean: float
    contrast: float
    sharpness: float
    anchored: int = 0


def measures(frames: Pixels) -> tuple[float, float, float]:
    """Mean, standard deviation and mean absolute Laplacian of a chunk's brightness."""
    gray = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32) for frame in frames]
    sharp = float(np.mean([np.abs(cv2.Laplacian(g, cv2.CV_32F)).mean() for g in gray]))
    stack = np.stack(gray)
    return float(stack.mean()), float(stack.std(axis=(1, 2)).mean()), sharp


def compare(chunks: list[tuple[float, float, float]], anchored: int = 0) -> Drift:
    """The ratios of the last chunks to the first ones."""
    first, last = (np.mean(part, 0) for part in (chunks[:EDGE], chunks[-EDGE:]))
    ratio = last / np.maximum(first, 1e-6)
    return Drift(float(ratio[0]), float(ratio[1]), float(ratio[2]), anchored)


def _whole(frames: int) -> int:
    """Frames of a stream of whole periods: at least `frames`, less the missing frames of its first chunk."""
    return PERIOD * -(-frames // PERIOD) - STARTS_SHORT


def _swing(pattern: PatternStream, start: int, count: int) -> Pixels:
    """Control for `count` frames from frame `start` on, uint8 `[count, H, W, 3]`."""
    times = [(start + k + TURN) / FPS % (2 * SWING) for k in range(count)]
    return np.stack([pattern.frame(min(t, 2 * SWING - t)) for t in times])


def drift(
    generator: Generator, frames: int, prompt: str, seed: int, re_anchor: bool, like: ChunkInput = PLAIN
) -> Drift:
    """Stream at least `frames` frames under depth control and compare the ends. The generator is reset first.

    re_anchor: when the picture drifts, the next chunk begins with the stream's own best recent picture, as with
    `/streamvace/re_anchor_auto`. like: the other options of the chunks.
    """
    generator.reset()
    pattern, watch = PatternStream("depth", generator.size), DriftWatch()
    chunks, done, anchored = [], 0, 0
    while done < _whole(frames):
        count = generator.frames_wanted()
        control = _swing(pattern, done, count)
        best = watch.best if re_anchor and watch.drifted else None
        if best is not None:
            anchored += 1
            watch.rest()
            watch.try_again()
        made = generator.step(replace(like, prompt=prompt, seed=seed, control=control, first_frame=best)).frames
        # The control shows one scene only: it must not count as a change of scene.
        watch.see(made[-1], prompt, None)
        chunks.append(measures(made))
        done += count
    return compare(chunks, anchored)


def steady(size: tuple[int, int], frames: int) -> Iterator[Cell]:
    """The ceiling: the drift of the control itself, at (width, height) pixels; 1 = none."""
    pattern, chunk = PatternStream("depth", size), 4 * CHUNK
    begin, end = EDGE * chunk - STARTS_SHORT, _whole(frames)
    starts = [0, *range(chunk - STARTS_SHORT, begin, chunk), *range(end - EDGE * chunk, end, chunk)]
    found = compare([measures(_swing(pattern, k, chunk if k else chunk - STARTS_SHORT)) for k in starts])
    for judge in ("mean", "contrast", "sharpness"):
        yield Cell("truth", f"drift, {frames} frames", "", judge, figure(np.array([getattr(found, judge)])))


def drift_cells(
    name: str,
    generator: Generator,
    frames: int,
    seeds: int,
    progress: Callable[[str], None],
    like: ChunkInput = PLAIN,
) -> Iterator[Cell]:
    """The cells of a variant: figures over all prompts, without and with re-anchoring."""
    for condition, re_anchor in (("left alone", False), ("re-anchored", True)):
        found: list[list[Drift]] = []
        for seed in range(seeds):
            progress(f"drift: {name}, {condition}, {frames} frames, seed {seed + 1} of {seeds}")
            found.append([drift(generator, frames, prompt, seed + 1, re_anchor, like) for prompt in PROMPTS])
        for field in fields(Drift):
            values = np.array([[getattr(each, field.name) for each in row] for row in found], np.float64)
            yield Cell(name, f"drift, {frames} frames", condition, field.name, figure(values))
