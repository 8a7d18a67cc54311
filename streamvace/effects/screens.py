"""Screens: the finished picture as print, paint, tiles or glass, drawn at the size of the output.

A generated picture is soft when it is enlarged; a screen has the output's own sharpness. All of them keep the colours
of the picture, and black stays black, so a blackout and a fade work as without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.effects.grid import FINEST, Grid
from streamvace.effects.painted import brushed
from streamvace.effects.strokes import combed, directions, hair

Pixels = NDArray[np.uint8]

NONE: Final = "none"


def _brightness(picture: Pixels) -> Pixels:
    """The brightest channel of `[h, w, 3]`."""
    red, green, blue = cv2.split(picture)
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


def _pure(picture: Pixels, bright: Pixels) -> Pixels:
    """The colours at full brightness; black stays black."""
    whole = cv2.cvtColor(np.maximum(bright, 1), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.divide(picture, whole, scale=255), np.uint8)


def _inked(colours: Pixels, ink: Pixels) -> Pixels:
    return np.asarray(cv2.multiply(colours, cv2.cvtColor(ink, cv2.COLOR_GRAY2RGB), scale=1 / 255), np.uint8)


_ENDS: Final = 12
"""Levels next to black and white in which the last ink goes, and the last gap."""


def _tone(edge: float, reach: float) -> Pixels:
    """Brightness -> height over the narrowed map, uint8 `[256]`: in proportion, and beyond both ends of the map for
    black and white."""
    level = np.arange(256)
    ends = np.clip(level / _ENDS, 0, 1) + np.clip((level - 255 + _ENDS) / _ENDS, 0, 1)
    return np.asarray((reach * level + edge * ends).round(), np.uint8)


def _ink(small: Pixels, bright: Pixels, thresholds: Pixels, grid: Grid) -> Pixels:
    """Ink in the picture's own pure colours, on black; its area is the brightness.

    small: the picture, and bright: its brightness, at two pixels a cell. thresholds: see `threshold_map`.
    """
    colours = grid.large(_pure(small, bright))
    # From clear to inked within about a pixel and a half. The map is narrowed by the width of that edge.
    steep = max(1.5, grid.cell / 3)
    edge = 127.5 / steep
    reach = (255 - 2 * edge) / 255
    level = cv2.LUT(grid.large(bright), _tone(edge, reach))
    ink = cv2.addWeighted(level, steep, thresholds, -steep * reach, 127.5 - steep * edge)
    return _inked(colours, np.asarray(ink, np.uint8))


def printed(picture: Pixels, grid: Grid) -> Pixels:
    """A screen that stands still."""
    small = grid.small(picture, 2.0)
    return _ink(small, _brightness(small), grid.thresholds, grid)


def carved(picture: Pixels, grid: Grid) -> Pixels:
    """Strokes that follow the form and swell with the light, as a knife leaves them in wood."""
    small = grid.small(picture, 2.0)
    bright = _brightness(small)
    knife = combed(hair(grid.stroke), directions(bright, 2.0, grid.brush))
    return _ink(small, bright, grid.large(knife), grid)


def tiled(picture: Pixels, grid: Grid) -> Pixels:
    """Tiles of one colour each, with grout between them."""
    source, light = grid.tiles
    # Averaged over a cell before a single pixel of it is taken, so that tiles do not flicker.
    mean = grid.large(cv2.convertScaleAbs(grid.small(picture, 1.0), alpha=1.2))
    return _inked(np.asarray(cv2.remap(mean, source, None, cv2.INTER_NEAREST), np.uint8), light)


_BAYER: Final = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) + 0.5) / 16
_LEVELS: Final = 5
"""Of each channel: few enough that the dither is seen."""
_DITHER: Final = 0.7
"""Share of a level that the dither covers. With all of it, greys break up into coloured specks."""


def blocky(picture: Pixels, grid: Grid) -> Pixels:
    """Blocks of half a cell in few colours, mixed by an ordered dither."""
    small = grid.small(picture, 2.0)
    height, width = small.shape[:2]
    pattern = np.tile(_BAYER, (-(-height // 4), -(-width // 4)))[:height, :width, None]
    steps = np.floor(small * ((_LEVELS - 1) / 255) + 0.5 + _DITHER * (pattern - 0.5))
    levels = (steps * (255 / (_LEVELS - 1))).round().astype(np.uint8)
    return grid.large(levels, cv2.INTER_NEAREST)


def outlined(picture: Pixels, grid: Grid) -> Pixels:
    """Glowing outlines in the picture's own colours, on black."""
    small = grid.small(picture, 4.0)
    bright = _brightness(small)
    slope = cv2.magnitude(cv2.Scharr(bright, cv2.CV_32F, 1, 0), cv2.Scharr(bright, cv2.CV_32F, 0, 1))
    line = cv2.convertScaleAbs(slope, alpha=1 / 5)
    glow = cv2.GaussianBlur(line, (0, 0), 2.5)
    light = np.asarray(cv2.addWeighted(line, 1.0, glow, 0.8, 0), np.uint8)
    spread = cv2.dilate(small, np.ones((5, 5), np.uint8))  # an outline has the colour of its brighter side
    return _inked(grid.large(_pure(spread, _brightness(spread))), grid.large(light, cv2.INTER_CUBIC))


def tube(picture: Pixels, grid: Grid) -> Pixels:
    """A picture tube seen from near."""
    glow = grid.large(cv2.GaussianBlur(grid.small(picture, 2.0), (0, 0), 1.5))
    lit = cv2.addWeighted(picture, 1.3, glow, 0.5, 0)
    return np.asarray(cv2.multiply(lit, grid.glass, scale=1 / 255), np.uint8)


SCREENS: Final[dict[str, Callable[[Pixels, Grid], Pixels]]] = {
    "halftone": printed,
    "lines": printed,
    "hatching": printed,
    "woodcut": carved,
    "oil": brushed,
    "mosaic": tiled,
    "pixels": blocky,
    "outlines": outlined,
    "tube": tube,
}
"""By name: uint8 `[H, W, 3]` and its grid -> a new picture like it."""


class Screen:
    """Draws one picture after the other. For one thread."""

    def __init__(self) -> None:
        self._grid: Grid | None = None
        self._last: tuple[Pixels, tuple[str, float, float], Pixels] | None = None

    def __call__(self, picture: Pixels, name: str, cells: float, mix: float) -> Pixels:
        """uint8 `[H, W, 4]`; the alpha stays. A picture that comes again is drawn once.

        name: of SCREENS. cells: over the height of the picture. mix: share of the screen over the plain picture, 0..1.
        """
        last, how = self._last, (name, cells, mix)
        if last is not None and last[0] is picture and last[1] == how:
            return last[2]
        height, width = picture.shape[:2]
        # Whole cells: while they glide, the maps are made only at every step.
        wanted = Grid(name, height, width, max(FINEST, height / round(cells)))
        grid = self._grid
        if grid != wanted:
            grid = self._grid = wanted
        plain = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB), np.uint8)
        drawn = SCREENS[name](plain, grid)
        if mix < 1:
            drawn = np.asarray(cv2.addWeighted(drawn, mix, plain, 1 - mix, 0), np.uint8)
        done = np.asarray(cv2.cvtColor(drawn, cv2.COLOR_RGB2RGBA), np.uint8)
        cv2.mixChannels([picture], [done], [3, 3])
        self._last = (picture, how, done)
        return done
