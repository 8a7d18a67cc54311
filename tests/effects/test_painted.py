"""Patches of oil paint: even areas with the borders of the picture."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.effects.painted import patches


def steepest(picture: NDArray[np.uint8]) -> float:
    """The largest step between neighbours in a row, median over the rows."""
    return float(np.median(np.abs(np.diff(picture[..., 0].astype(int), axis=1)).max(1)))


def test_a_soft_border_becomes_sharp_and_stays_where_it_was() -> None:
    picture = np.full((80, 80, 3), 40, np.uint8)
    picture[:, 40:] = (200, 100, 50)
    soft = cv2.GaussianBlur(picture, (0, 0), 1.5)
    done = patches(soft)
    assert steepest(done) > 1.5 * steepest(soft)
    assert np.abs(done[:, :36].astype(int) - 40).max() <= 2
    assert np.abs(done[:, 44:].astype(int) - (200, 100, 50)).max() <= 2


def test_grain_becomes_even() -> None:
    grain = np.random.default_rng(3).integers(100, 156, (64, 64, 3), np.uint8)
    assert patches(grain).std() < 0.4 * grain.std()
