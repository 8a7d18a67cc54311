"""Tiles of texture that repeat without a seam: what the world's materials are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

TILE = 256
"""Side of a tile in the pixels that it is drawn with. A picture shows it at a quarter of that size, four times across.
Details are at least forty of these pixels wide, because the embedded model's codec keeps none that are finer."""


def _frequencies() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cycles per tile down and across, for a real Fourier transform."""
    y, x = np.meshgrid(np.fft.fftfreq(TILE) * TILE, np.fft.rfftfreq(TILE) * TILE, indexing="ij")
    return y, x


def places() -> tuple[Floats, Floats]:
    """Pixel centres in tiles, 0..1: u to the right, v down, both `[TILE, TILE]`."""
    line = ((np.arange(TILE, dtype=np.float32) + np.float32(0.5)) / np.float32(TILE)).astype(np.float32)
    return np.broadcast_to(line[None, :], (TILE, TILE)), np.broadcast_to(line[:, None], (TILE, TILE))


def smooth(low: float, high: float, x: Floats) -> Floats:
    """A soft step from 0 at `low` to 1 at `high`."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def noise(seed: int, low: float, slope: float = 1.6, stretch: float = 1.0) -> Floats:
    """Noise in 0..1. low: cycles per tile of its coarsest part. slope: how fast finer parts fade. stretch: how much
    longer than wide its spots are."""
    rng = np.random.default_rng(seed)
    fy, fx = _frequencies()
    f = np.hypot(fx / stretch, fy * stretch)
    strength = np.where(f < low * 0.7, 0, 1 / np.maximum(f, low) ** slope)
    waves = strength * (rng.normal(size=f.shape) + 1j * rng.normal(size=f.shape))
    field = np.fft.irfft2(waves, (TILE, TILE))
    return np.asarray(0.5 + 0.5 * np.tanh(0.75 * field / field.std()), np.float32)


def veins(seed: int, low: float, slope: float, sharpness: float) -> Floats:
    """Thin bright lines where a noise crosses its middle, 0..1."""
    return np.asarray((1 - np.abs(2 * noise(seed, low, slope) - 1)) ** sharpness, np.float32)


def wander(field: Floats, across: Floats, down: Floats) -> Floats:
    """A tile looked up at moved places. across, down: `[TILE, TILE]` in tiles."""
    u, v = places()
    size = np.float32(TILE)
    x, y = (u + across) * size - np.float32(0.5), (v + down) * size - np.float32(0.5)
    return np.asarray(cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), np.float32)


@dataclass(frozen=True)
class Cells:
    """A tile divided among points, all `[TILE, TILE]`. border, centre: distances in cell widths. ident: a number of
    each cell, 0..1."""

    border: Floats
    centre: Floats
    ident: Floats


def cells(seed: int, side: int, regular: float = 0.2) -> Cells:
    """Voronoi cells of `side` x `side` points that stray from a grid. regular: 0 = wildly, 1 = not at all."""
    rng = np.random.default_rng(seed)
    y, x = np.meshgrid(np.arange(side), np.arange(side), indexing="ij")
    stray = rng.uniform(-0.5, 0.5, (side * side, 2)) * (1 - regular)
    return _divided((np.stack([x.ravel(), y.ravel()], 1) + 0.5 + stray) / side, side, rng)


def hexagons(seed: int, side: int) -> Cells:
    """A honeycomb with `side` cells across and an even number of rows."""
    rows = 2 * round(side / math.sqrt(3))
    points = [((c + 0.5 * (r % 2)) / side, (r + 0.5) / rows) for r in range(rows) for c in range(side)]
    return _divided(np.array(points), side, np.random.default_rng(seed))


def _divided(points: NDArray[np.float64], side: int, rng: np.random.Generator) -> Cells:
    u, v = places()
    first, second = (np.full((TILE, TILE), 9, np.float32) for _ in range(2))
    owner, next_owner = (np.zeros((TILE, TILE), np.int64) for _ in range(2))
    for number, (px, py) in enumerate(points):
        dx, dy = np.abs(u - np.float32(px)), np.abs(v - np.float32(py))
        d = np.hypot(np.minimum(dx, 1 - dx), np.minimum(dy, 1 - dy))
        nearest, nearer = d < first, d < second
        next_owner = np.where(nearest, owner, np.where(nearer, number, next_owner))
        second = np.where(nearest, first, np.where(nearer, d, second))
        owner, first = np.where(nearest, number, owner), np.minimum(first, d)
    apart = np.abs(points[owner] - points[next_owner])
    apart = np.linalg.norm(np.minimum(apart, 1 - apart), axis=-1)
    border = (second**2 - first**2) / (2 * np.maximum(apart, 1e-6))
    ident = rng.permutation(len(points)) / max(1, len(points) - 1)
    return Cells(
        np.asarray(border * side, np.float32),
        np.asarray(first * side, np.float32),
        np.asarray(ident[owner], np.float32),
    )


def labyrinth(seed: int, lines: float) -> Floats:
    """Winding stripes of equal width, `lines` pairs per tile, 0..1: a band of noise, sharpened again and again."""
    fy, fx = _frequencies()
    f = np.hypot(fx, fy)
    band = np.exp(-(((f - lines) / (0.2 * lines)) ** 2))
    field = np.random.default_rng(seed).normal(size=(TILE, TILE))
    for _ in range(12):
        field = np.fft.irfft2(np.fft.rfft2(field) * band, (TILE, TILE))
        field = np.tanh(1.6 * field / field.std())
    field = np.fft.irfft2(np.fft.rfft2(field) * np.exp(-((f / (2.7 * lines)) ** 2)), (TILE, TILE))
    return np.asarray(0.5 + 0.5 * field / np.abs(field).max(), np.float32)


def fibres(seed: int, grain: int, length: int) -> Floats:
    """Hairs that follow a swirling direction, 0..1. grain: their width in pixels. length: in steps of 1.5 pixels.

    It smears noise along the direction (line integral convolution, Cabral and Leedom 1993).
    """
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 1, (TILE // grain, TILE // grain)).astype(np.float32)
    wide = np.pad(coarse, 2, mode="wrap")
    base = cv2.resize(wide, None, fx=grain, fy=grain, interpolation=cv2.INTER_LINEAR)
    base = np.ascontiguousarray(base[2 * grain : -2 * grain, 2 * grain : -2 * grain])
    angle = (noise(seed + 1, 1, 2.2) - 0.5) * 2.6 + math.pi / 2
    dx, dy = np.cos(angle), np.sin(angle)
    total = np.zeros((TILE, TILE), np.float32)
    for sign in (1, -1):
        y, x = np.meshgrid(*2 * [np.arange(TILE, dtype=np.float32)], indexing="ij")
        for step in range(length):
            total += cv2.remap(base, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP) * (1 - step / length)
            ahead = [cv2.remap(d, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_WRAP) for d in (dx, dy)]
            x, y = x + np.float32(1.5 * sign) * ahead[0], y + np.float32(1.5 * sign) * ahead[1]
    return np.asarray(0.5 + 0.5 * np.tanh((total - total.mean()) / total.std()), np.float32)


def _wrapped(big: Floats) -> Floats:
    """The middle of a canvas of 3 x 3 tiles."""
    return np.ascontiguousarray(big[TILE : 2 * TILE, TILE : 2 * TILE])


def points(seed: int, count: int, largest: float) -> Floats:
    """Bright points with a glow, 0..1. largest: radius in pixels."""
    rng = np.random.default_rng(seed)
    big = np.zeros((3 * TILE, 3 * TILE), np.float32)
    for _ in range(count):
        x, y = rng.uniform(0, TILE, 2)
        radius, shine = largest * float(rng.uniform(0.25, 1) ** 2), float(rng.uniform(0.4, 1))
        for oy in range(3):
            for ox in range(3):
                centre = int((ox * TILE + x) * 16), int((oy * TILE + y) * 16)
                cv2.circle(big, centre, int(radius * 16), shine, -1, cv2.LINE_AA, 4)
    glow = 0.6 * cv2.GaussianBlur(big, (0, 0), largest)
    return np.clip(_wrapped(np.asarray(big + glow, np.float32)), 0, 1)


def traces(seed: int, cell: int) -> tuple[Floats, Floats]:
    """A circuit board: its conductors, and its chips, both 0..1. cell: pixels between neighbouring conductors."""
    rng = np.random.default_rng(seed)
    side = TILE // cell
    used = np.zeros((side, side), bool)
    lines, chips = (np.zeros((3 * TILE, 3 * TILE), np.float32) for _ in range(2))
    copies = [(ox * TILE, oy * TILE) for ox in range(3) for oy in range(3)]
    for _ in range(4):
        x, y, w, h = (int(rng.integers(*limits)) for limits in ((0, side), (0, side), (2, 4), (2, 3)))
        rows, columns = np.arange(y - 1, y + h + 1) % side, np.arange(x - 1, x + w + 1) % side
        if used[np.ix_(rows, columns)].any():
            continue
        used[np.ix_(rows[1:-1], columns[1:-1])] = True
        for ox, oy in copies:
            left, top = ox + x * cell, oy + y * cell
            cv2.rectangle(chips, (left, top), (left + w * cell - 2, top + h * cell - 2), 1.0, -1)
    steps = ((1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1))
    for _ in range(12 * side):
        x, y = (int(v) for v in rng.integers(side, size=2))
        if used[y, x]:
            continue
        used[y, x] = True
        path, turn = [(x, y)], int(rng.integers(8))
        for _ in range(int(rng.integers(2, 9))):
            turn = (turn + int(rng.choice([-1, 0, 0, 0, 1]))) % 8
            x, y = x + steps[turn][0], y + steps[turn][1]
            if used[y % side, x % side]:
                break
            used[y % side, x % side] = True
            path.append((x, y))
        for ox, oy in copies:
            spots = [(ox + px * cell + cell // 2, oy + py * cell + cell // 2) for px, py in path]
            for a, b in pairwise(spots):
                cv2.line(lines, a, b, 0.8, cell // 4, cv2.LINE_AA)
            for end in (spots[0], spots[-1]):
                cv2.circle(lines, end, cell // 3, 1.0, -1, cv2.LINE_AA)
    return _wrapped(lines), _wrapped(chips)
