"""Materials: sixteen textures that cover objects, backgrounds and photographs, lit by what they lie on.

A material is a tile that is fixed to the picture, like a sheet behind cut-out forms. Where a form rises, the tile is
bent and shaded. So the same place always has the same texture, which a small model can learn. `place` says which part
of the tile is at the picture's top left; the embedded model reads it from its noise (model/noise.py). Four tiles fill
the height of a picture of any size.
"""

from __future__ import annotations

from functools import cache, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.world.material_tiles import MATERIALS, ramped
from streamvace.world.shapes import LIGHT
from streamvace.world.textures import TILE

Floats = NDArray[np.float32]
Picture = NDArray[np.uint8]
Place = tuple[int, int]
"""Cells from the tile's top left to the picture's: down, right."""
CELLS = 4
"""Cells across a tile."""
ACROSS = 4
"""Tiles in the height of a picture. The embedded model has 16 cells there."""


@cache
def _lit(name: str) -> Floats:
    """A material's tile under the world's light, float32 `[TILE, TILE, 3]` in 0..1."""
    tile = MATERIALS[name].tile()
    shade = _shade(np.pad(tile.relief.astype(np.float32), 2, mode="wrap"), 0.35)[2:-2, 2:-2]
    own = MATERIALS[name].glow
    return np.clip(tile.colours * (own + (1 - own) * shade)[..., None], 0, 1).astype(np.float32)


def _shade(height: Floats, strength: float) -> Floats:
    """Light on a surface, about 1 where it is flat. height: `[H, W]` in pixels."""
    across = cv2.Sobel(height, cv2.CV_32F, 1, 0, scale=strength / 8)
    down = cv2.Sobel(height, cv2.CV_32F, 0, 1, scale=strength / 8)
    return np.asarray(np.float32(0.35) + np.clip(_facing(across, down), 0, 1), np.float32)


def _facing(across: Floats, down: Floats) -> Floats:
    """How much a surface with these slopes faces the light, -1..1."""
    lit = LIGHT[2] - across * np.float32(LIGHT[0]) - down * np.float32(LIGHT[1])
    return np.asarray(lit / np.sqrt(across * across + down * down + 1), np.float32)


@lru_cache(maxsize=512)
def baked(name: str, tint: tuple[float, float, float] | None, side: int) -> Picture:
    """A material's tile, uint8 `[side, side, 3]`. tint: a colour in 0..1 instead of its own; None: its own."""
    lit = _lit(name)
    if tint is not None:
        light = cv2.cvtColor(lit, cv2.COLOR_RGB2GRAY)
        low, high = np.percentile(light, (2, 98))
        index = np.clip((light - low) / max(float(high - low), 1e-3), 0, 1)
        colour = np.asarray(tint) * 255
        stops = tuple(tuple(int(c) for c in stop) for stop in (colour * 0.12, colour * 0.85, colour * 0.5 + 127))
        lit = ramped(index, stops)  # type: ignore[arg-type]
    lit = cv2.resize(lit, (side, side), interpolation=cv2.INTER_AREA if side < TILE else cv2.INTER_LINEAR)
    return np.asarray((lit * 255 + 0.5).astype(np.uint8))


BEND = 2.0
"""How far a slope of one (a rise of the whole height over the height of the picture) moves the texture, in pixels of a
picture of TILE rows."""
MOST = 8.0
"""The furthest that it is moved."""
SOFT = 50
"""What it lies on is blurred by this fraction of the picture's height, so that hard steps bend it too."""


def slopes(height: Floats) -> tuple[Floats, Floats]:
    """How steep a height `[H, W]` in 0..1 is, to the right and down, per picture height."""
    rows = height.shape[0]
    soft = cv2.GaussianBlur(height, (0, 0), rows / SOFT)
    return (
        np.asarray(cv2.Sobel(soft, cv2.CV_32F, 1, 0, scale=rows / 8), np.float32),
        np.asarray(cv2.Sobel(soft, cv2.CV_32F, 0, 1, scale=rows / 8), np.float32),
    )


def covered(name: str, tint: tuple[float, float, float] | None, slope: tuple[Floats, Floats], place: Place) -> Floats:
    """A material over a form, bent but not shaded, float32 `[H, W, 3]` in 0..1. slope: see `slopes`."""
    rows, columns = slope[0].shape
    scale = rows / TILE
    bend = [np.clip(each * np.float32(BEND * scale), -MOST * scale, MOST * scale) for each in slope]
    down, right = (np.float32(cell % CELLS * rows / (ACROSS * CELLS)) for cell in place)
    x = np.arange(columns, dtype=np.float32)[None, :] + right + bend[0]
    y = np.arange(rows, dtype=np.float32)[:, None] + down + bend[1]
    found = cv2.remap(baked(name, tint, rows // ACROSS), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(found, np.float32) * np.float32(1 / 255)


def on_object(name: str, texture: Floats, diffuse: Floats, rim: Floats) -> Floats:
    """Light on an object's texture `[H, W, 3]`. diffuse, rim: shading `[H, W]` in 0..1 (shapes.py)."""
    material = MATERIALS[name]
    light = material.glow + (1 - material.glow) * (0.30 + 0.90 * diffuse)
    shine = material.gloss * 0.7 * np.clip((diffuse - 0.86) / 0.13, 0, 1) ** 2
    edge = 1 - 0.65 * np.clip(rim * 1.5 - 0.3, 0, 1)
    out = texture * (light * edge)[..., None] + shine[..., None]
    return np.asarray(np.clip(out, 0, 1), np.float32)


def on_relief(name: str, texture: Floats, slope: tuple[Floats, Floats], bright: Floats) -> Floats:
    """Light on a texture `[H, W, 3]` that covers a relief. bright: light from elsewhere, `[H, W]`, about 1."""
    material = MATERIALS[name]
    across, down = (each * np.float32(0.16) for each in slope)
    towards = _facing(across, down)
    light = (material.glow * 0.7 + (1 - material.glow * 0.7) * (0.35 + np.clip(towards, 0, 1))) * bright
    shine = material.gloss * 0.5 * np.clip((towards - 0.88) / 0.12, 0, 1) ** 2 * bright
    return np.asarray(np.clip(texture * light[..., None] + shine[..., None], 0, 1), np.float32)


def clad(picture: Picture, name: str, tint: tuple[float, float, float] | None, place: Place) -> Picture:
    """A photograph uint8 `[H, W, 3]` as a relief of a material: its brightness is the height and the light."""
    gray = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32) / np.float32(255)
    slope = slopes(gray)
    texture = covered(name, tint, slope, place)
    out = on_relief(name, texture, slope, np.float32(0.28) + np.float32(1.05) * gray)
    return (out * 255 + 0.5).astype(np.uint8)
