"""A ring buffer of the newest samples of one quantity, and percentiles. No lock: the owner has one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CAPACITY = 16_384
"""Samples kept: nine minutes at 30 Hz."""


class Samples:
    """Keeps the newest `capacity` samples."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._samples = np.zeros(capacity)
        self._added = 0

    def add(self, sample: float) -> None:
        """Add a sample; overwrites the oldest when full."""
        self._samples[self._added % len(self._samples)] = sample
        self._added += 1

    def __len__(self) -> int:
        return min(self._added, len(self._samples))

    def samples(self) -> NDArray[np.float64]:
        """A copy, unordered, float64 `[N]`."""
        return self._samples[: len(self)].copy()


def percentiles(name: str, samples: NDArray[np.float64], *percents: int) -> dict[str, float]:
    """`NAME_p50_ms` and so on, of samples in milliseconds; 0 without samples."""
    if not len(samples):
        return {f"{name}_p{percent}_ms": 0.0 for percent in percents}
    values = np.percentile(samples, percents)
    return {f"{name}_p{percent}_ms": round(float(value), 3) for percent, value in zip(percents, values, strict=True)}
