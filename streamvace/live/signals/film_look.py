"""Tells film from pictures that were drawn to steer the model. Pure.

A camera's picture has fine texture nearly everywhere: skin, cloth, leaves, noise. Poses, flow and labels are coloured,
but smooth between their lines. Without colour, film is told by more texture than depth and lines have, and by tones of
every brightness, which lines, masks and halftones have not. A picture's brightness looks like black-and-white film, and
is taken as film.

The figures here are of the films that the thresholds were chosen on; those of other pictures are in docs/controls.md
(`benchmarks/film_look.py`).
"""

from __future__ import annotations

import cv2
import numpy as np

from streamvace.conditioning.controls.base import Floats, Pixels, colours, shrunk

_LONGEST = 256
"""Longer side in pixels of the picture that is measured. Scaling makes the texture of large and small films alike."""

_CELLS = 16
"""The texture is measured in so many cells in each direction."""

COLOURED = 0.12
"""Saturation from which on a picture is coloured. Films of people and animals have 0.17 to 0.75, bright or dark; grey
with 5 % too much red and 5 % too little blue has 0.10."""

TEXTURED = 0.12
"""Share of pixels with fine texture, in the middle one of the cells, from which on a coloured picture is natural. Films
have 0.55 to 0.79, and 0.17 to 0.32 at a fifth of the light; optical flow has at most 0.13, poses and labels none."""

GREY_TEXTURED = 0.3
"""The same for pictures without colour, whose texture is measured relative to their contrast. Sharp films have 0.40 to
0.96, soft close-ups 0.06 to 0.50. Smooth depth has none; our estimate without a network has up to 0.37 where the film
has texture, and counts as film there. So does depth with a sensor's noise."""

TONES = 4.0
"""Entropy of a colourless picture's tones in bits, of 5, from which on it is natural. Films have 4.3 to 4.9; outlines
of films, however soft, have at most 3.3, posterised film 2.9, halftones and masks 1."""

_FINE = 1.0
"""Least difference from the picture's own blur, 0..255, that is texture: more than the rounding of a smooth ramp."""

_FINE_SHARE, _LEAST = 1 / 180, 0.6
"""The same for pictures without colour: a share of the contrast, so that light does not matter, and its lower limit."""

_EMPTY = 12
"""A picture with less contrast, 0..255, shows nothing yet: black before a fade, a lens cap."""


def looks_like_film(picture: Pixels, generated: Pixels | None = None) -> bool | None:
    """Whether a picture is film; None if it shows too little to tell.

    picture: uint8 `[H, W, 3|4]`. generated: uint8 `[H, W]`; only its white region is judged, as the kept one is never
    used as control.
    """
    small = shrunk(colours(picture), _LONGEST)
    height, width = small.shape[:2]
    region = np.ones((height, width), np.float32)
    if generated is not None:
        region = np.asarray(cv2.resize(generated, (width, height)) > 127, np.float32)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)
    seen = grey[region > 0]
    contrast = float(np.ptp(np.percentile(seen, (2, 98)))) if seen.size else 0.0
    if contrast < _EMPTY:
        return None
    if saturation(small, region) >= COLOURED:
        return texture(grey, region, _FINE) >= TEXTURED
    finest = max(_LEAST, _FINE_SHARE * contrast)
    return texture(grey, region, finest) >= GREY_TEXTURED and tones(seen) >= TONES


def saturation(picture: Pixels, region: Floats) -> float:
    """Difference between the strongest and the weakest channel, relative to the strongest: 0 grey, 1 pure colours.

    Independent of the light. picture: uint8 `[H, W, 3]`. region: float32 `[H, W]`, the weight of each pixel.
    """
    strongest, weakest = (float((plane * region).sum()) for plane in (picture.max(axis=-1), picture.min(axis=-1)))
    return (strongest - weakest) / max(strongest, 1.0)


def texture(grey: Floats, region: Floats, least: float) -> float:
    """Share of pixels that differ from the picture's blur, in the middle one of the cells.

    A line gives texture to few cells, a camera to most. grey, region: float32 `[H, W]`, 0..255 and 0 or 1. least:
    difference from the blur, 0..255, that counts.
    """
    fine = (np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.0)) > least) * region
    found, size = (cv2.resize(plane, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA) for plane in (fine, region))
    judged = size > 0
    return float(np.median(found[judged] / size[judged]))


def tones(seen: Floats) -> float:
    """Entropy in bits of 32 steps between nearly the darkest and nearly the brightest tone: 0 one tone, 5 all alike.

    Independent of the light. seen: float32 `[N]`, 0..255, with some contrast.
    """
    low, high = np.percentile(seen, (2, 98))
    share = np.histogram(seen.clip(low, high), _STEPS, (low, high))[0] / seen.size
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())


_STEPS = 32
