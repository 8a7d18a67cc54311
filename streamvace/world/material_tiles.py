"""The sixteen materials: what each one's tile shows, and how it takes the light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamvace.world.textures import (
    cells,
    fibres,
    hexagons,
    labyrinth,
    noise,
    places,
    points,
    smooth,
    traces,
    veins,
    wander,
)

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Tile:
    """colours: float32 `[TILE, TILE, 3]` in 0..1. relief: height in pixels, `[TILE, TILE]`."""

    colours: Floats
    relief: Floats


Stops = tuple[tuple[int, int, int], ...]


def ramped(index: Floats, stops: Stops) -> Floats:
    """Colours by an index in 0..1 between evenly spaced stops."""
    x = np.clip(index, 0, 1) * (len(stops) - 1)
    table = np.array(stops, np.float32) / np.float32(255)
    channels = [np.interp(x, np.arange(len(stops)), table[:, k]) for k in range(3)]
    return np.asarray(np.stack(channels, -1), np.float32)


def _lava() -> Tile:
    crust = cells(10, 3, 0.35)
    rough, bend = noise(11, 3, 1.6), noise(12, 1, 2.2) - np.float32(0.5)
    border = wander(crust.border, 0.10 * bend, 0.10 * noise(13, 1, 2.2) - 0.05)
    heat = np.exp(-border * 7) + 0.35 * smooth(0.55, 0.95, noise(14, 1, 2.4)) * np.exp(-border * 1.5)
    stops = ((14, 7, 9), (52, 15, 12), (160, 22, 6), (246, 84, 8), (255, 190, 40), (255, 250, 190))
    return Tile(ramped(heat + 0.10 * rough, stops), 4 * smooth(0, 0.3, border) + 3 * rough)


def _marble() -> Tile:
    across, down = 0.2 * noise(20, 1, 2.2), 0.2 * noise(21, 1, 2.2)
    lines = wander(veins(22, 1, 2.4, 4), across, down) + 0.5 * wander(veins(23, 1, 2.2, 5), across, down)
    shade = 1 - 0.95 * lines - 0.3 * smooth(0.4, 0.9, noise(20, 1, 2.2))
    return Tile(ramped(shade, ((30, 28, 40), (150, 144, 152), (226, 222, 220), (246, 244, 240))), 0 * lines)


def _ice() -> Tile:
    shards, deep = cells(30, 2, 0.1), cells(31, 2, 0.1)
    u, v = places()
    crack, under = np.exp(-shards.border * 12), np.exp(-deep.border * 7)
    index = 0.05 + 0.36 * shards.ident + 0.18 * noise(32, 1, 2.2) + 0.25 * under + 0.75 * crack
    tilt = (shards.ident - 0.5) * 30 * (np.sin(2 * np.pi * u) + np.cos(2 * np.pi * v))
    stops = ((14, 60, 116), (52, 130, 188), (138, 206, 232), (222, 246, 252), (255, 255, 255))
    return Tile(ramped(np.asarray(index, np.float32), stops), np.asarray(0.3 * tilt, np.float32))


def _wood() -> Tile:
    u, _ = places()
    rings = u * 3 + 0.9 * noise(40, 1, 2.6, stretch=1.6)
    ring = rings - np.floor(rings)
    ring = np.where(ring < 0.85, ring / 0.85, (1 - ring) / 0.15)
    fine = noise(41, 3, 1.6, stretch=2.0)
    index = np.asarray(0.90 - 0.72 * ring**2 + 0.30 * (fine - 0.5), np.float32)
    stops = ((46, 20, 8), (112, 58, 22), (168, 98, 44), (206, 142, 78), (228, 176, 112))
    return Tile(ramped(index, stops), np.asarray(2 * fine - ring, np.float32))


def _clouds() -> Tile:
    mass = 0.7 * noise(50, 1, 2.3) + 0.3 * noise(51, 2, 2.0)
    lit = np.clip(0.70 + 2.4 * (mass - np.roll(mass, (16, 12), (0, 1))), 0.3, 1)[..., None]
    body = smooth(0.42, 0.66, mass)[..., None]
    sky, white, shadow = (np.array(c, np.float32) / 255 for c in ((46, 110, 200), (255, 255, 255), (120, 130, 160)))
    colours = sky * (1 - body) + (white * lit + shadow * (0.4 * (1 - lit))) * body
    return Tile(np.asarray(colours, np.float32), 0 * mass)


def _scales() -> Tile:
    u, v = places()
    x, y = u * 3, v * 4
    row = np.floor(y)
    depth, ident, drop = np.full(x.shape, 9.0), np.zeros(x.shape), np.zeros(x.shape)
    free = np.ones(x.shape, bool)
    for r in (row + 1, row, row - 1):  # a row lies over the one below it
        off = 0.5 * (r % 2)
        column = np.floor(x - off) + 0.5 + off
        d = np.hypot(x - column, (y - r) * 0.8)
        inside = free & (d < 0.62)
        number = np.sin((column % 3) * 12.9898 + (r % 4) * 78.233) * 43758.547
        depth, drop = np.where(inside, d, depth), np.where(inside, y - r, drop)
        ident = np.where(inside, number - np.floor(number), ident)
        free &= ~inside
    rim = smooth(0.42, 0.60, np.asarray(depth, np.float32))
    index = np.clip(0.30 + 0.34 * ident + 0.42 * drop, 0.04, 1) * (1 - 0.88 * rim)
    stops = ((6, 40, 48), (10, 104, 96), (56, 176, 120), (200, 232, 130))
    return Tile(ramped(np.asarray(index, np.float32), stops), np.asarray(8 * np.sqrt(np.maximum(0.42 - depth**2, 0))))


def _circuit() -> Tile:
    lines, chips = traces(60, 64)
    colours = ramped(
        0.16 + 0.10 * noise(61, 2, 1.6) + 0.75 * lines, ((6, 36, 26), (10, 80, 50), (30, 150, 86), (246, 210, 110))
    )
    colours = colours * (1 - 0.9 * chips[..., None]) + np.float32(0.05) * chips[..., None]
    return Tile(np.asarray(colours, np.float32), 3 * lines + 8 * chips)


def _glass() -> Tile:
    panes = cells(70, 3, 0.15)
    lead = 1 - smooth(0.06, 0.13, panes.border)
    stops = (
        (200, 20, 44), (244, 140, 20), (250, 224, 60), (30, 156, 80), (20, 96, 214), (120, 40, 180), (226, 60, 146)
    )  # fmt: skip
    index = np.asarray(np.floor(panes.ident * 6.999) / 6, np.float32)
    colours = ramped(index, stops) * (0.72 + 0.5 * noise(71, 1, 2.0))[..., None]
    colours = colours * (1 - lead[..., None]) + np.float32(0.03) * lead[..., None]
    return Tile(np.asarray(colours, np.float32), 8 * lead)


def _honeycomb() -> Tile:
    comb = hexagons(80, 3)
    rim = 1 - smooth(0.08, 0.18, comb.border)
    full = comb.ident > 0.4
    index = np.where(full, 0.40 + 0.35 * smooth(0.0, 0.5, comb.border), 0.06 + 0.12 * comb.centre)
    index = np.asarray(index * (1 - rim) + 0.86 * rim, np.float32)
    stops = ((60, 26, 4), (170, 88, 8), (236, 156, 18), (255, 214, 90), (255, 244, 190))
    return Tile(ramped(index, stops), np.asarray(6 * rim + np.where(full, 5 * (1 - comb.centre), 0), np.float32))


def _water() -> Tile:
    across, down = 0.10 * noise(90, 1, 2.4), 0.10 * noise(91, 1, 2.4)
    web = wander(cells(92, 2).centre, across, down) * wander(cells(93, 3).centre, down, across) * np.float32(1.9)
    index = 0.16 + 0.22 * noise(94, 1, 2.2) + 0.75 * smooth(0.15, 1.0, web)
    stops = ((2, 34, 74), (6, 84, 134), (18, 144, 182), (120, 222, 226), (250, 255, 250))
    return Tile(ramped(np.asarray(index, np.float32), stops), 4 * web)


def _galaxy() -> Tile:
    clouds = noise(100, 1, 2.3) * noise(101, 1, 2.0) * np.float32(1.9)
    dust = 1 - 0.8 * veins(102, 1, 2.2, 4)
    stops = ((6, 4, 28), (34, 16, 90), (104, 30, 150), (196, 56, 170), (248, 150, 196))
    sky = ramped(np.asarray(0.08 + 0.95 * smooth(0.15, 1.1, clouds) * dust, np.float32), stops)
    return Tile(np.clip(sky + points(103, 9, 18.0)[..., None], 0, 1), 0 * clouds)


def _paper() -> Tile:
    torn = cells(110, 2, 0.1)
    bend = 0.06 * noise(111, 2, 1.8)
    border, ident = wander(torn.border, bend, 0.06 * noise(112, 2, 1.8)), torn.ident
    edge = 1 - smooth(0.06, 0.13, border)
    shadow = smooth(0.0, 0.05, np.clip(np.roll(ident, (14, 10), (0, 1)) - ident, 0, 1))
    stops = ((236, 92, 70), (246, 196, 84), (242, 232, 208), (86, 164, 150), (44, 74, 110), (226, 150, 160))
    colours = ramped(np.asarray(np.floor(ident * 5.999) / 5, np.float32), stops) * (1 - 0.5 * shadow)[..., None]
    u, v = places()
    dots = (ident > 0.5) & (np.hypot(u * 6 % 1 - 0.5, v * 6 % 1 - 0.5) < 0.28)
    colours = colours * (1 - 0.5 * dots[..., None])
    colours = colours * (1 - edge[..., None]) + np.array((0.97, 0.95, 0.91), np.float32) * edge[..., None]
    return Tile(np.asarray(colours, np.float32), 3 * ident)


def _brick() -> Tile:
    u, v = places()
    y = v * 4
    row = np.floor(y)
    x = u * 2 + 0.5 * (row % 2)
    fx, fy = x - np.floor(x), y - row
    border = np.minimum(np.minimum(fx, 1 - fx) * 2, np.minimum(fy, 1 - fy))
    number = np.sin((np.floor(x) % 2) * 12.9898 + row * 78.233) * 43758.547
    rough = noise(120, 2, 1.8)
    mortar = 1 - smooth(0.07, 0.16, np.asarray(border + 0.06 * (rough - 0.5), np.float32))
    index = np.asarray(0.18 + 0.55 * (number - np.floor(number)) + 0.6 * (rough - 0.5), np.float32)
    colours = ramped(index, ((90, 30, 22), (150, 58, 38), (186, 84, 54), (214, 126, 88)))
    colours = colours * (1 - mortar[..., None]) + np.array((0.72, 0.69, 0.64), np.float32) * mortar[..., None]
    return Tile(np.asarray(colours, np.float32), np.asarray(6 * smooth(0.05, 0.25, np.asarray(border)) + 3 * rough))


def _knit() -> Tile:
    u, v = places()
    x, y = u * 2, v * 4
    fx = x - np.floor(x)
    lean = np.where(fx < 0.5, fx, 1 - fx) * 2
    raised = y + 0.85 * lean
    fy = raised - np.floor(raised)
    form = np.sqrt(np.maximum(1 - ((fy - 0.5) * 2) ** 2, 0)) * np.sqrt(np.maximum(1 - ((lean - 0.5) * 1.7) ** 2, 0.02))
    striped = np.floor(raised) % 4 >= 2
    index = np.asarray(np.where(striped, 0.32 + 0.66 * form, 0.62 * form), np.float32)
    return Tile(
        ramped(index, ((60, 8, 24), (170, 30, 52), (226, 74, 84), (250, 176, 164))), np.asarray(7 * form, np.float32)
    )


def _moss() -> Tile:
    hairs, tufts = fibres(130, 16, 40), noise(131, 1, 2.2)
    index = 0.04 + 0.80 * hairs * (0.35 + 0.8 * tufts) + 0.10 * tufts
    stops = ((8, 22, 6), (34, 70, 14), (88, 132, 26), (156, 190, 54), (216, 230, 120))
    return Tile(ramped(index, stops), 6 * hairs + 12 * tufts)


def _coral() -> Tile:
    maze = labyrinth(140, 2.5)
    body = smooth(0.42, 0.58, maze)
    stops = ((255, 240, 220), (252, 222, 190), (226, 70, 70), (150, 18, 54))
    return Tile(ramped(np.asarray(0.08 + 0.88 * body, np.float32), stops), 8 * smooth(0.3, 0.9, maze))


@dataclass(frozen=True)
class Material:
    """tile: makes its tile. gloss: strength of highlights, 0..1. glow: share of its light that is its own, 0..1."""

    tile: Callable[[], Tile]
    gloss: float = 0.0
    glow: float = 0.0


MATERIALS: dict[str, Material] = {
    "lava": Material(_lava, 0.1, 0.6),
    "marble": Material(_marble, 0.7),
    "ice": Material(_ice, 0.9, 0.15),
    "wood": Material(_wood, 0.2),
    "clouds": Material(_clouds, 0.0, 0.3),
    "scales": Material(_scales, 0.8),
    "circuit": Material(_circuit, 0.4, 0.2),
    "glass": Material(_glass, 0.7, 0.5),
    "honeycomb": Material(_honeycomb, 0.8, 0.1),
    "water": Material(_water, 0.8, 0.2),
    "galaxy": Material(_galaxy, 0.0, 0.7),
    "paper": Material(_paper),
    "brick": Material(_brick),
    "knit": Material(_knit),
    "moss": Material(_moss),
    "coral": Material(_coral, 0.4),
}
"""Word -> material."""
