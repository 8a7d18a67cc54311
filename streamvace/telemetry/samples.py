"""The newest samples of one quantity, in memory of a fixed size. No lock: the owner has one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CAPACITY = 16_384
"""Samples kept: nine minutes of a 30 Hz output."""


class Samples:
    """Adding is a write into an array; the percentiles are of the newest `capacity` samples."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._samples = np.zeros(capacity)
        self._added = 0

    def add(self, sample: float) -> None:
        """One more; the oldest gives way."""
        self._samples[self._added % len(self._samples)] = sample
        self._added += 1

    def __len__(self) -> int:
        return min(self._added, len(self._samples))

    def samples(self) -> NDArray[np.float64]:
        """A copy, in no order."""
        return self._samples[: len(self)].copy()


def percentiles(name: str, samples: NDArray[np.float64], *percents: int) -> dict[str, float]:
    """`NAME_p50_ms` and so on, in the samples' own milliseconds; 0 where there are none."""
    if not len(samples):
        return {f"{name}_p{percent}_ms": 0.0 for percent in percents}
    values = np.percentile(samples, percents)
    return {f"{name}_p{percent}_ms": round(float(value), 3) for percent, value in zip(percents, values, strict=True)}
