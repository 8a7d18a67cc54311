"""What differs in texture is told apart; what differs in colour, brightness or place is not."""

from __future__ import annotations

import numpy as np

from streamvace.embedded.evaluation.texture import statistics, told_apart
from streamvace.records.chunk import Pixels


def waves(length: float, seed: int, tint: tuple[float, float, float] = (1, 1, 1)) -> Pixels:
    """Level waves with some noise, somewhere."""
    rng = np.random.default_rng(seed)
    y = np.arange(96) + rng.uniform(0, 50)
    grey = 0.5 + 0.3 * np.sin(2 * np.pi * y / length)[:, None] + rng.normal(0, 0.05, (96, 96))
    return (255 * np.clip(grey[..., None] * np.array(tint), 0, 1)).astype(np.uint8)


def test_textures_are_told_apart_on_scenes_that_the_judge_has_not_seen() -> None:
    fine, coarse = ([waves(length, 10 * int(length) + k) for k in range(12)] for length in (6, 18))
    scores = told_apart([fine, coarse])
    assert scores.shape == (6,)
    assert scores.mean() == 1.0


def test_colours_alone_are_not_told_apart() -> None:
    tints = ((1.0, 0.5, 0.5), (0.5, 0.75, 0.5), (0.6, 0.55, 1.0), (0.65, 0.65, 0.65))  # of one brightness
    same = [[waves(9, 100 * at + k, tint) for k in range(24)] for at, tint in enumerate(tints)]
    assert told_apart(same).mean() < 0.6, "chance is 0.25"


def test_brightness_and_contrast_count_for_nothing() -> None:
    picture = waves(9, 1)
    dimmed = (40 + 0.5 * picture.astype(float)).astype(np.uint8)
    assert np.abs(statistics(picture) - statistics(dimmed)).max() < 0.12
