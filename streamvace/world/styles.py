"""Colours and styles: from maps to pictures. Composition is cheap, so every training sample gets its own colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (228, 32, 40),
    "orange": (250, 132, 20),
    "yellow": (250, 222, 40),
    "green": (34, 168, 60),
    "cyan": (30, 214, 222),
    "blue": (34, 74, 226),
    "purple": (136, 44, 206),
    "pink": (250, 100, 180),
    "white": (244, 244, 244),
    "gray": (118, 118, 122),
}
STYLES = ("glossy", "neon", "pastel", "flat", "metal")
BACKDROP_COLOURS: tuple[str, ...] = (*COLOURS, "black")


@dataclass(frozen=True)
class Look:
    """The colours of one picture: a style, one colour an object, two colours of the background."""

    style: str
    bodies: tuple[str, ...]
    backdrop: tuple[str, str]


def rgb(name: str) -> Floats:
    """A named colour as float32 `[3]` in 0..1."""
    return np.asarray(COLOURS.get(name, (14, 14, 18)), np.float32) / np.float32(255)


def sample_look(rng: np.random.Generator, bodies: int) -> Look:
    """A random look. The objects never wear a colour of the background, and never the same one twice."""
    names = list(COLOURS)
    rng.shuffle(names)
    chosen = tuple(names[:bodies])
    rest = names[bodies:] + ["black"] * 3
    first = str(rest[int(rng.integers(len(rest)))])
    second = str(rest[int(rng.integers(len(rest)))])
    if second == first:
        second = rest[0] if rest[0] != first else rest[1]
    return Look(str(rng.choice(STYLES)), chosen, (first, second))


def surface(style: str, colour: Floats, diffuse: Floats, rim: Floats) -> Floats:
    """How an object of this colour looks. diffuse, rim `[...]` in 0..1 -> `[..., 3]` float32 in 0..1."""
    d, r = diffuse[..., None], rim[..., None]
    if style == "glossy":
        out = colour * (0.30 + 0.78 * d) + 0.75 * np.clip((d - 0.86) / 0.13, 0, 1) ** 2
    elif style == "neon":
        line = np.clip(r * 1.5 - 0.18, 0, 1)
        out = colour * (0.10 + 1.0 * line) + 0.35 * line**4
    elif style == "pastel":
        out = (0.46 + 0.54 * colour) * (0.80 + 0.22 * d)
    elif style == "metal":
        band = 0.5 + 0.5 * np.sin(7.5 * d + 1.5 * r + 0.4)
        out = colour * (0.22 + 0.75 * band) + 0.45 * band**4 * np.float32(0.8)
    else:
        out = np.broadcast_to(colour, (*diffuse.shape, 3))
    return np.asarray(np.clip(out, 0, 1), np.float32)


def backdrop(style: str, first: Floats, second: Floats, mix: Floats) -> Floats:
    """The background: a mix of two colours in the light of the style. mix `[...]` -> `[..., 3]`."""
    m = mix[..., None]
    out = first * (1 - m) + second * m
    if style == "pastel":
        return (0.50 + 0.50 * out).astype(np.float32)
    return (out * {"glossy": 0.85, "neon": 0.26, "metal": 0.6}.get(style, 1.0)).astype(np.float32)


def compose(maps: Picture, look: Look) -> Picture:
    """Colour one frame: maps uint8 `[7, H, W]` -> RGB uint8 `[H, W, 3]`."""
    first, second = look.backdrop
    return paint(maps, look.style, [rgb(name) for name in look.bodies], (rgb(first), rgb(second)))


def paint(maps: Picture, style: str, bodies: Sequence[Floats], behind: tuple[Floats, Floats]) -> Picture:
    """One frame in any channels: maps uint8 `[7, H, W]`, colours float32 `[C]` in 0..1 -> uint8 `[H, W, C]`."""
    planes = maps.astype(np.float32) * np.float32(1 / 255)
    mix, _, diffuse, rim, *alphas = planes
    out = backdrop(style, *behind, mix)
    total = np.zeros_like(mix)
    for alpha in alphas[: len(bodies)]:
        total += alpha
    # Shading was blended with zero at the outline; divide it out, or every silhouette gets a dark seam.
    inverse = 1 / np.maximum(total, np.float32(1 / 255))
    diffuse, rim = np.minimum(diffuse * inverse, 1), np.minimum(rim * inverse, 1)
    emission = np.zeros_like(out) if style == "neon" else None
    out *= (1 - np.minimum(total, 1))[..., None]
    for colour, alpha in zip(bodies, alphas, strict=False):
        lit = surface(style, colour, diffuse, rim) * alpha[..., None]
        out += lit
        if emission is not None:
            emission += lit
    if emission is not None:
        sigma = maps.shape[1] * 0.035
        out += 0.55 * cv2.GaussianBlur(emission, (0, 0), sigma) * (1 - out)
    return (np.clip(out, 0, 1) * 255 + 0.5).astype(np.uint8)
