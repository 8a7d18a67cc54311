"""Pictures for the tests of the effects."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def noise(height: int = 24, width: int = 32, seed: int = 0) -> NDArray[np.uint8]:
    """uint8 `[H, W, 4]`, every channel at random."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)


def flat(value: int, alpha: int = 255) -> NDArray[np.uint8]:
    """uint8 `[8, 8, 4]` of one grey."""
    picture = np.full((8, 8, 4), value, np.uint8)
    picture[..., 3] = alpha
    return picture
