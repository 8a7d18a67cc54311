"""Tells film from pictures that were drawn to steer the model. Pure.

A camera's picture has colour, and fine texture nearly everywhere: skin, cloth, leaves, noise. Control pictures lack one
of the two. Depth, edges and brightness are grey; poses, flow and labels are coloured, but smooth between their lines.
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
"""Saturation from which on a picture is coloured. Films of people and animals have 0.17 to 0.74, bright or dark; grey
with 5 % too much red and 5 % too little blue has 0.10."""

TEXTURED = 0.12
"""Share of pixels with fine texture, in the middle one of the cells, from which on a picture is natural. Films have
0.55 to 0.79, and 0.17 to 0.32 at a fifth of the light; optical flow has at most 0.09, poses and labels have none."""

_FINE = 1.0
"""Least difference from the picture's own blur, 0..255, that is texture: more than the rounding of a smooth ramp."""

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
    if seen.size == 0 or np.ptp(np.percentile(seen, (2, 98))) < _EMPTY:
        return None
    return saturation(small, region) >= COLOURED and texture(grey, region) >= TEXTURED


def saturation(picture: Pixels, region: Floats) -> float:
    """Difference between the strongest and the weakest channel, relative to the strongest: 0 grey, 1 pure colours.

    Independent of the light. picture: uint8 `[H, W, 3]`. region: float32 `[H, W]`, the weight of each pixel.
    """
    strongest, weakest = (float((plane * region).sum()) for plane in (picture.max(axis=-1), picture.min(axis=-1)))
    return (strongest - weakest) / max(strongest, 1.0)


def texture(grey: Floats, region: Floats) -> float:
    """Share of pixels that differ from the picture's blur, in the middle one of the cells.

    A line gives texture to few cells, a camera to most. grey, region: float32 `[H, W]`, 0..255 and 0 or 1.
    """
    fine = (np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.0)) > _FINE) * region
    found, size = (cv2.resize(plane, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA) for plane in (fine, region))
    judged = size > 0
    return float(np.median(found[judged] / size[judged]))
