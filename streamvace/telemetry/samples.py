"""A ring buffer of the newest samples of one quantity, and percentiles. No lock: the owner has one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CAPACITY = 16_384
"""Samples kept: nine minutes at 30 Hz."""
_NEW_SHARE = 64
"""One in so many samples is new before they are copied again. Fewer do not move a percentile, and making those of all
quantities five times a second would take nearly a hundredth of a core."""


class Samples:
    """Keeps the newest `capacity` samples."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._samples = np.zeros(capacity)
        self._added = 0
        self._copied = np.zeros(0)
        self._added_then = 0

    def add(self, sample: float) -> None:
        """Add a sample; overwrites the oldest when full."""
        self._samples[self._added % len(self._samples)] = sample
        self._added += 1

    def __len__(self) -> int:
        return min(self._added, len(self._samples))

    def samples(self) -> NDArray[np.float64]:
        """A copy, unordered, float64 `[N]`: the same object until one in _NEW_SHARE is new. Never written to."""
        if (self._added - self._added_then) * _NEW_SHARE > len(self._copied):
            self._copied, self._added_then = self._samples[: len(self)].copy(), self._added
        return self._copied


def percentiles(name: str, samples: NDArray[np.float64], *percents: int) -> dict[str, float]:
    """`NAME_p50_ms` and so on, of samples in milliseconds; 0 without samples."""
    if not len(samples):
        return {f"{name}_p{percent}_ms": 0.0 for percent in percents}
    values = np.percentile(samples, percents)
    return {f"{name}_p{percent}_ms": round(float(value), 3) for percent, value in zip(percents, values, strict=True)}
