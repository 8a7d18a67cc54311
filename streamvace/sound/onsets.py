"""Hits: moments at which the sound gets louder in many frequencies at once."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np
from numpy.typing import NDArray

DEBOUNCE_S: Final = 0.08
"""After a hit there is no other one for so long: a drum rings, and nobody plays faster."""

_GAMMA: Final = 100.0
"""Compression: a soft hit beside a loud tone counts almost as much as a loud one."""
_RECENT_S: Final = 0.6
"""Span of the median that the threshold follows."""
_TIMES: Final = 1.7
_OVER: Final = 0.12
"""A hit is above so many times the median, and by so much more."""
_WIDER: Final = 3
"""Bins to both sides in which the spectrum before may have been as loud: a tone that wavers is no hit."""


class Onsets:
    """The spectral flux of the spectra so far, and its threshold."""

    def __init__(self, hop_s: float) -> None:
        """hop_s: between two spectra."""
        self._hop_s = hop_s
        self._before: NDArray[np.float64] | None = None
        self._recent: deque[float] = deque(maxlen=max(3, round(_RECENT_S / hop_s)))
        self._last = 0.0
        self._since_s = DEBOUNCE_S

    def hit(self, magnitudes: NDArray[np.float64]) -> float:
        """The strength of a hit in this spectrum, 0..1; 0 for none. magnitudes: of each bin, as
        parts of the loudest level of late."""
        loud = np.log1p(_GAMMA * magnitudes)
        before = loud if self._before is None else self._before
        flux = float(np.maximum(loud - before, 0.0).mean())
        wide = np.lib.stride_tricks.sliding_window_view(np.pad(loud, _WIDER, mode="edge"), 2 * _WIDER + 1)
        self._before = wide.max(axis=1)
        threshold = _TIMES * (float(np.median(self._recent)) if self._recent else 0.0) + _OVER
        self._recent.append(flux)
        self._since_s += self._hop_s
        rises, self._last = flux > self._last, flux
        if flux <= threshold or not rises or self._since_s < DEBOUNCE_S:
            return 0.0
        self._since_s = 0.0
        return min(1.0, 0.5 + flux / 2)
