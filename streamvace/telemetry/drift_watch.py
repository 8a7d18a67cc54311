"""Drift detection: a long stream can slowly gain contrast, lose detail or change tint.

Mean, contrast and sharpness of one picture per chunk are compared with those of the scene's beginning, when the model
had been fed the least of its own output. A scene lasts until the performer changes a parameter that changes the look,
or the look of the input changes. No threads, no parameters.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass

import cv2
import numpy as np

from streamvace.records.chunk import Pixels

MEAN_BAND = 32.0
"""Grey levels that the mean of a channel may move: an eighth of the range, a visible change."""

CONTRAST_BAND = math.log(1.6)
SHARPNESS_BAND = math.log(2.5)
"""Log ratios, up or down. Sharpness depends most on the subject, so its band is wider."""

SETTLING = 4
"""Chunks at the start of a scene that are ignored: a new prompt needs them to take effect."""

BASELINE = 8
"""Chunks after those; their median is the scene's reference look."""

RECENT = 64
"""Maximum age of the best picture in chunks: half a minute, so that the anchor still shows the current subject."""

PATIENCE = 2
"""Chunks in a row outside the band that count as drift: a single flash does not."""

REST = 8
"""Chunks after a re-anchoring that are not judged: it needs them to take effect."""

ATTEMPTS = 3
"""Re-anchorings in a row without effect after which the look becomes the new reference."""

_FLOOR = 4.0
"""Grey levels added before taking ratios: a black picture has no contrast to compare."""


@dataclass(frozen=True)
class Look:
    """Figures of one picture. mean, contrast: of red, green, blue, in grey levels; sharpness: mean edge strength."""

    mean: tuple[float, ...]
    contrast: tuple[float, ...]
    sharpness: float

    @classmethod
    def of(cls, picture: Pixels) -> Look:
        """picture: uint8 `[H, W, 3]`."""
        mean, contrast = cv2.meanStdDev(picture)
        edges = cv2.Laplacian(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.CV_16S)
        return cls(tuple(mean.ravel().tolist()), tuple(contrast.ravel().tolist()), float(np.abs(edges).mean()))

    @classmethod
    def median(cls, looks: list[Look]) -> Look:
        """The median of each figure."""
        rows = np.median([(*look.mean, *look.contrast, look.sharpness) for look in looks], axis=0).tolist()
        return cls(tuple(rows[:3]), tuple(rows[3:6]), rows[6])


@dataclass(frozen=True)
class Departure:
    """How far one look is from another. share: 0 equal, 1 at the edge of the band. what: the figure that moved most, in
    words with both values."""

    share: float
    what: str

    @classmethod
    def between(cls, best: Look, now: Look) -> Departure:
        """The figure that moved by the largest share of its band."""
        moved = [
            cls(abs(was - value) / MEAN_BAND, f"{colour} {value:.0f}, was {was:.0f}")
            for colour, was, value in zip(("red", "green", "blue"), best.mean, now.mean, strict=True)
        ]
        moved += [
            cls(_ratio(was, value) / CONTRAST_BAND, f"contrast of {colour} {value:.0f}, was {was:.0f}")
            for colour, was, value in zip(("red", "green", "blue"), best.contrast, now.contrast, strict=True)
        ]
        sharpness = f"sharpness {now.sharpness:.1f}, was {best.sharpness:.1f}"
        moved.append(cls(_ratio(best.sharpness, now.sharpness) / SHARPNESS_BAND, sharpness))
        return max(moved, key=lambda each: each.share)


NONE = Departure(0.0, "")


class DriftWatch:
    """Takes one picture per chunk; gives the drift of the stream and the recent picture that looks best."""

    def __init__(self) -> None:
        self.departure = NONE
        """Of the newest chunk; NONE until the scene has a reference look."""
        self._scene: Hashable = None
        self._input: Look | None = None
        self._chunks = self._outside = self._rest = self._attempts = 0
        self._looks: list[Look] = []
        self._baseline: Look | None = None
        self._candidates: deque[tuple[int, float, Pixels]] = deque()
        """(chunk number, share of the band, picture), the best first."""

    @property
    def best(self) -> Pixels | None:
        """The recent picture nearest to the reference look, uint8 `[H, W, 3]`; None before the first chunk."""
        return self._candidates[0][2] if self._candidates else None

    @property
    def drifted(self) -> bool:
        """Whether the stream has drifted and should be re-anchored now."""
        return self._outside >= PATIENCE and self._rest == 0

    def see(self, picture: Pixels, scene: Hashable, shown: Pixels | None) -> None:
        """Judge a finished chunk.

        picture: its last frame, uint8 `[H, W, 3]`. scene: a change of this value begins a new scene. shown: the input's
        newest picture, uint8 `[H, W, 3]`, or None without input.
        """
        source = None if shown is None else Look.of(shown)
        if scene != self._scene or _another(self._input, source):
            self._scene, self._input = scene, source
            self._forget()
        self._chunks += 1
        self._rest = max(0, self._rest - 1)
        look = Look.of(picture)
        if self._baseline is None and self._chunks > SETTLING:
            self._looks.append(look)
            if len(self._looks) == BASELINE:
                self._baseline = Look.median(self._looks)
        self.departure = NONE if self._baseline is None else Departure.between(self._baseline, look)
        outside = self.departure.share > 1
        self._outside = self._outside + 1 if outside else 0
        if not outside and self._rest == 0:
            self._attempts = 0
        self._remember(picture, self.departure.share)

    def rest(self) -> None:
        """A chunk was anchored: judge again after `REST` chunks."""
        self._rest, self._outside = REST, 0

    def try_again(self) -> bool:
        """Count a re-anchoring against drift. Returns False when `ATTEMPTS` of them in a row had no effect: the current
        look then becomes the new reference."""
        self._attempts += 1
        if self._attempts < ATTEMPTS:
            return True
        self._looks, self._baseline, self._attempts = [], None, 0
        return False

    def _remember(self, picture: Pixels, share: float) -> None:
        """Add a candidate for `best`. From front to back both share and chunk number rise: a candidate that is older
        and worse than another is dropped."""
        while self._candidates and self._candidates[0][0] <= self._chunks - RECENT:
            self._candidates.popleft()
        while self._candidates and self._candidates[-1][1] >= share:
            self._candidates.pop()
        self._candidates.append((self._chunks, share, picture.copy()))

    def _forget(self) -> None:
        self.departure = NONE
        self._chunks = self._outside = self._rest = self._attempts = 0
        self._looks, self._baseline = [], None
        self._candidates.clear()


def _ratio(was: float, value: float) -> float:
    return abs(math.log((value + _FLOOR) / (was + _FLOOR)))


def _another(before: Look | None, now: Look | None) -> bool:
    """Whether the input appeared, disappeared or changed its look."""
    if before is None or now is None:
        return before is not now
    return Departure.between(before, now).share > 1
