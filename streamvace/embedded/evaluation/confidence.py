"""Means with confidence intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
"""Bootstrap draws: enough for a stable second digit of the 95 % interval."""


@dataclass(frozen=True)
class Figure:
    """The mean over clips and seeds, and its 95 % interval over clips."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        digits = 2 if abs(self.mean) < 10 else 1
        return f"{self.mean:.{digits}f} ±{(self.high - self.low) / 2:.{digits}f}"


@dataclass(frozen=True)
class Cell:
    """One figure of the table. The variants `truth` and `codec` are ceilings, `wrong` is the floor."""

    variant: str
    task: str
    condition: str
    judge: str
    figure: Figure


def figure(scores: NDArray[np.float64]) -> Figure:
    """The figure of scores `[seeds, clips]` or `[clips]`; NaN = not judged.

    Clips are resampled and seeds are not, as the seeds of one clip give similar scores.
    """
    with np.errstate(invalid="ignore"):
        clips = np.atleast_2d(scores)
        clips = clips[:, ~np.isnan(clips).any(0)].mean(0)
    if not clips.size:
        return Figure(float("nan"), float("nan"), float("nan"))
    rng = np.random.default_rng(0)
    means = clips[rng.integers(len(clips), size=(RESAMPLES, len(clips)))].mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return Figure(float(clips.mean()), float(low), float(high))


def tells_apart(right: Figure, wrong: Figure, more: int) -> bool:
    """Whether the right case is better than the wrong one, without overlap of intervals. more: 1 = more is better."""
    return right.low > wrong.high if more > 0 else right.high < wrong.low
