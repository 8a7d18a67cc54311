"""Does a long stream keep its picture? Brightness, contrast and sharpness of each chunk of the live generator."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from streamvace.chunk import ChunkInput, Pixels
from streamvace.embedded.pattern_stream import PatternStream
from streamvace.embedded.world import FPS
from streamvace.generator import Generator

EDGE = 20
"""Chunks at each end that are compared."""
SWING = 8.0
"""Seconds of control that play forth and back for ever: both ends of the stream then have the same to show."""


@dataclass(frozen=True)
class Drift:
    """Ratios, last chunks over first ones: 1 = nothing changed."""

    frames: int
    mean: float
    contrast: float
    sharpness: float


def measures(frames: Pixels) -> tuple[float, float, float]:
    """Mean, deviation and mean absolute Laplacian of a chunk's brightness."""
    gray = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32) for frame in frames]
    sharp = float(np.mean([np.abs(cv2.Laplacian(g, cv2.CV_32F)).mean() for g in gray]))
    stack = np.stack(gray)
    return float(stack.mean()), float(stack.std(axis=(1, 2)).mean()), sharp


def compare(chunks: list[tuple[float, float, float]], frames: int) -> Drift:
    """The last chunks against the first, or halves of a short stream."""
    edge = min(EDGE, len(chunks) // 2)
    first, last = (np.mean(part, 0) for part in (chunks[1 : 1 + edge], chunks[-edge:]))
    ratio = last / np.maximum(first, 1e-6)
    return Drift(frames, *(float(r) for r in ratio))


def drift(generator: Generator, frames: int, prompt: str, seed: int) -> Drift:
    """Stream `frames` frames under depth control and compare the ends. The generator is reset first."""
    generator.reset()
    pattern = PatternStream("depth", generator.size)
    chunks, done = [], 0
    while done < frames:
        count = generator.frames_wanted()
        times = [(done + k) / FPS % (2 * SWING) for k in range(count)]
        control = np.stack([pattern.frame(min(t, 2 * SWING - t)) for t in times])
        chunks.append(measures(generator.step(ChunkInput(prompt, seed=seed, control=control)).frames))
        done += count
    return compare(chunks, done)
