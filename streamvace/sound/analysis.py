"""Sound to numbers: four bands, level, two followers and hits. Pure; NumPy only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamvace.sound.onsets import Onsets

RATE: Final = 48_000
HOP: Final = 512
HOP_S: Final = HOP / RATE
"""10.7 ms between two results."""
WINDOW: Final = 1024

BANDS: Final[Mapping[str, tuple[float, float]]] = {
    "low": (20, 150),
    "low_mid": (150, 800),
    "high_mid": (800, 4000),
    "high": (4000, 16000),
}
"""Name -> lowest and highest frequency in hertz: kick and bass; body; voice and snare; cymbals."""

QUIET: Final = 0.001
"""A level of -60 dB below a full tone is silence, and is not turned up."""
_FORGET_S: Final = 8.0
"""Half-life of the loudest level so far, by which all levels are divided: a quiet song moves as much as a loud one."""
_FOLLOWERS: Final = {"fast": (0.01, 0.15), "slow": (0.3, 1.5)}
"""Name -> time constants of rise and fall in seconds."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One result. levels: 0..1 by name: level, the bands, fast and slow. hit: strength 0..1, 0 for none. loudness: of
    the sound as it came, 0..1, a full tone is 0.7."""

    levels: Mapping[str, float]
    hit: float
    loudness: float


LEVELS: Final = ("level", *BANDS, *_FOLLOWERS)
"""The names of `Heard.levels`, in order."""


class Analysis:
    """Takes sound of any lengths."""

    def __init__(self) -> None:
        self._waiting: NDArray[np.float32] = np.zeros(WINDOW - HOP, np.float32)
        self._hann = np.hanning(WINDOW)
        frequencies = np.fft.rfftfreq(WINDOW, 1 / RATE)
        self._bins = {name: (low <= frequencies) & (frequencies < high) for name, (low, high) in BANDS.items()}
        self._onsets = Onsets(HOP_S)
        self._loudest = dict.fromkeys(("level", *BANDS), QUIET)
        self._followers = dict.fromkeys(_FOLLOWERS, 0.0)

    def feed(self, samples: NDArray[np.float32]) -> list[Heard]:
        """The results of the sound so far that are new. samples: float32 `[N]`, -1..1, RATE a second; what is not
        finite counts as silence."""
        self._waiting = np.concatenate((self._waiting, np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)))
        found = []
        while len(self._waiting) >= WINDOW:
            found.append(self._heard(self._waiting[:WINDOW].clip(-4.0, 4.0)))
            self._waiting = self._waiting[HOP:]
        return found

    def _heard(self, window: NDArray[np.float32]) -> Heard:
        magnitudes = np.abs(np.fft.rfft(window * self._hann)) * (4 / WINDOW)
        loudness = math.sqrt(float(np.square(window[-HOP:], dtype=np.float64).mean()))
        levels = {"level": self._evened("level", loudness)}
        for name, bins in self._bins.items():
            levels[name] = self._evened(name, math.sqrt(float(np.square(magnitudes[bins]).sum())))
        for name, (rise, fall) in _FOLLOWERS.items():
            step = levels["level"] - self._followers[name]
            self._followers[name] += step * (1 - math.exp(-HOP_S / (rise if step > 0 else fall)))
            levels[name] = self._followers[name]
        hit = self._onsets.hit(magnitudes / self._loudest["level"])
        return Heard(levels, hit if loudness >= QUIET else 0.0, min(loudness, 1.0))

    def _evened(self, name: str, value: float) -> float:
        """A part of the loudest of late."""
        held = self._loudest[name]
        self._loudest[name] = max(value, QUIET + (held - QUIET) * 0.5 ** (HOP_S / _FORGET_S))
        return 0.0 if value < QUIET else min(1.0, value / self._loudest[name])
