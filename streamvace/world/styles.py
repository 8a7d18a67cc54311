"""Colours and styles: from maps to pictures. Colouring is cheap, so every training sample gets its own colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.world.material_tiles import MATERIALS
from streamvace.world.materials import Place, covered, on_object, on_relief, slopes

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


@dataclass(frozen=True)
class Look:
    """The look of one picture: a style, one colour name per object, and two for the background.

    materials: a name of MATERIALS per object, or empty: all in the style. ground: the background's material, or "". A
    colour tints a material; "" leaves it its own colours.
    """

    style: str
    bodies: tuple[str, ...]
    backdrop: tuple[str, str]
    materials: tuple[str, ...] = ()
    ground: str = ""


def rgb(name: str) -> Floats:
    """A named colour as float32 `[3]` in 0..1; any other name is near black."""
    return np.asarray(COLOURS.get(name, (14, 14, 18)), np.float32) / np.float32(255)


def sample_look(rng: np.random.Generator, bodies: int) -> Look:
    """A random look. Objects and background never share a colour, and no two objects do."""
    names = list(COLOURS)
    rng.shuffle(names)
    chosen = tuple(names[:bodies])
    rest = names[bodies:] + ["black"] * 3
    first = str(rest[int(rng.integers(len(rest)))])
    second = str(rest[int(rng.integers(len(rest)))])
    if second == first:
        second = rest[0] if rest[0] != first else rest[1]
    return Look(str(rng.choice(STYLES)), chosen, (first, second))


TINTED = 0.3
"""Share of random materials that have another colour than their own."""


def sample_materials(rng: np.random.Generator, look: Look) -> Look:
    """`look` with materials: on the objects, on the background, or on both."""
    names = [str(name) for name in rng.permutation(list(MATERIALS))]
    where = rng.random()
    materials = tuple(names[: len(look.bodies)]) if where < 0.8 else ()
    ground = names[-1] if where >= 0.25 else ""
    bodies, (first, second) = look.bodies, look.backdrop
    if materials:
        bodies = tuple(name if rng.random() < TINTED else "" for name in bodies)
    if ground:
        first = first if rng.random() < TINTED else ""
    return replace(look, bodies=bodies, backdrop=(first, second), materials=materials, ground=ground)


def surface(style: str, colour: Floats, diffuse: Floats, rim: Floats) -> Floats:
    """An object's colours from its shading: diffuse, rim `[...]` in 0..1 -> float32 `[..., 3]` in 0..1."""
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
    """The background's colours: a mix of two, dimmed or lightened by the style. mix `[...]` -> `[..., 3]`."""
    m = mix[..., None]
    out = first * (1 - m) + second * m
    if style == "pastel":
        return (0.50 + 0.50 * out).astype(np.float32)
    return (out * {"glossy": 0.85, "neon": 0.26, "metal": 0.6}.get(style, 1.0)).astype(np.float32)


def compose(maps: Picture, look: Look, place: Place = (0, 0)) -> Picture:
    """Colour one frame: maps uint8 `[7, H, W]` -> RGB uint8 `[H, W, 3]`. place: of the materials (materials.py)."""
    first, second = look.backdrop
    if look.materials or look.ground:
        return _clothed(maps, look, place)
    return paint(maps, look.style, [rgb(name) for name in look.bodies], (rgb(first), rgb(second)))


def paint(maps: Picture, style: str, bodies: Sequence[Floats], behind: tuple[Floats, Floats]) -> Picture:
    """Colour one frame in C channels: maps uint8 `[7, H, W]`, colours float32 `[C]` in 0..1 -> uint8 `[H, W, C]`."""
    planes, (diffuse, rim) = _shading(maps)
    lit = [surface(style, colour, diffuse, rim) for colour in bodies]
    return _layered(backdrop(style, *behind, planes[0]), planes, lit, style == "neon")


def _clothed(maps: Picture, look: Look, place: Place) -> Picture:
    """`compose` with materials."""
    planes, (diffuse, rim) = _shading(maps)
    if look.ground:
        mix = planes[0]
        slope = slopes(mix)
        texture = covered(look.ground, tint(look.backdrop[0]), slope, place)
        out = on_relief(look.ground, texture, slope, np.float32(0.6) + np.float32(0.4) * mix)
    else:
        out = backdrop(look.style, rgb(look.backdrop[0]), rgb(look.backdrop[1]), planes[0])
    if look.materials:
        slope = slopes(planes[1])
        lit = []
        for colour, name in zip(look.bodies, look.materials, strict=True):
            lit.append(on_object(name, covered(name, tint(colour), slope, place), diffuse, rim))
    else:
        lit = [surface(look.style, rgb(colour), diffuse, rim) for colour in look.bodies]
    return _layered(out, planes, lit, look.style == "neon" and not look.materials)


def tint(colour: str) -> tuple[float, float, float] | None:
    """A material's tint by a colour's name; None for ""."""
    if not colour:
        return None
    red, green, blue = (float(c) for c in rgb(colour))
    return red, green, blue


def _shading(maps: Picture) -> tuple[Floats, tuple[Floats, Floats]]:
    """The planes in 0..1, and diffuse and rim shading up to the outlines."""
    planes = maps.astype(np.float32) * np.float32(1 / 255)
    # Shading was blended with zero at outlines; dividing by coverage avoids a dark seam around every object.
    inverse = 1 / np.maximum(planes[4:].sum(0), np.float32(1 / 255))
    return planes, (np.minimum(planes[2] * inverse, 1), np.minimum(planes[3] * inverse, 1))


def _layered(behind: Floats, planes: Floats, lit: Sequence[Floats], shines: bool) -> Picture:
    """Lit objects over a background `[H, W, C]`, by their coverage. shines: they light up what is around them."""
    alphas = planes[4 : 4 + len(lit)]
    out = behind * (1 - np.minimum(alphas.sum(0), 1))[..., None]
    emission = np.zeros_like(out)
    for surface_, alpha in zip(lit, alphas, strict=True):
        emission += surface_ * alpha[..., None]
    out += emission
    if shines:
        sigma = planes.shape[1] * 0.035
        out += 0.55 * cv2.GaussianBlur(emission, (0, 0), sigma).reshape(out.shape) * (1 - out)
    return np.asarray((np.clip(out, 0, 1) * 255 + 0.5).astype(np.uint8))
