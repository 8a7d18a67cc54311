"""Looks of a whole picture that follow its brightness: a camera under `gray` control becomes a styled picture.

A filter is a word of the vocabulary; the model is trained to paint it over rendered scenes and photographs.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.world.styles import Floats, Picture, rgb

PHOTO = "photo"
"""The word for a photograph as it is."""

_STOPS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "thermal": ((6, 4, 40), (88, 16, 120), (206, 48, 84), (250, 148, 30), (254, 244, 168)),
    "inked": ((22, 20, 30), (30, 28, 38), (226, 220, 208), (246, 242, 232)),
    "moonlit": ((2, 4, 16), (10, 26, 74), (28, 84, 160), (120, 214, 246)),
    "gilded": ((10, 6, 4), (92, 50, 10), (214, 148, 34), (255, 240, 180)),
}
"""Colours from dark to bright, evenly spaced."""


def _ramp(stops: NDArray[np.floating]) -> Picture:
    """256 colours `[256, 3]` along evenly spaced stops `[N, 3]` in 0..255."""
    places = np.linspace(0, 255, len(stops))
    channels = [np.interp(np.arange(256), places, stops[:, k]) for k in range(3)]
    return np.asarray(np.stack(channels, 1), np.uint8)


_RAMPS = {name: _ramp(np.asarray(stops, np.float64)) for name, stops in _STOPS.items()}


def _gray(picture: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def duotone(picture: Picture, dark: str, bright: str) -> Picture:
    """From a deep shade of one named colour to another, pure one."""
    return np.asarray(_ramp(np.stack([rgb(dark) * 0.3, rgb(bright)]) * 255)[_gray(picture)], np.uint8)


def contour(picture: Picture, colour: str) -> Picture:
    """Glowing contours of one named colour on black."""
    plane = cv2.GaussianBlur(_gray(picture), (0, 0), max(0.6, picture.shape[0] / 160)).astype(np.float32)
    slope = np.hypot(cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1)) * picture.shape[0] / 128
    line: Floats = np.clip((slope - 24) / 110, 0, 1).astype(np.float32)
    glow = cv2.GaussianBlur(line, (0, 0), picture.shape[0] * 0.025)
    out = rgb(colour) * (line + 0.6 * glow)[..., None] + (0.4 * line**3)[..., None]
    return np.asarray(np.clip(out, 0, 1) * 255, np.uint8)


def _ramped(name: str) -> Filter:
    return lambda picture, _first, _second: np.asarray(_RAMPS[name][_gray(picture)], np.uint8)


Filter = Callable[[Picture, str, str], Picture]

FILTERS: dict[str, Filter] = {
    "duotone": duotone,
    "contour": lambda picture, first, _second: contour(picture, first),
    **{name: _ramped(name) for name in _STOPS},
}
"""Word -> what it does to a picture uint8 `[H, W, 3]`, given two colour names (some use one, most none)."""

COLOURS_USED = {"duotone": 2, "contour": 1}
"""How many colour names a filter's caption carries; the rest carry none."""


def filter_words(name: str, first: str, second: str) -> list[str]:
    """How a caption says it: `duotone blue and orange`, `contour green`, `thermal`."""
    used = COLOURS_USED.get(name, 0)
    return [name, *([first] if used else []), *(["and", second] if used > 1 else [])]
