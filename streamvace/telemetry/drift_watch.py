"""Does the stream still look as it did at its best? A long stream slowly gains contrast, loses detail or changes tint.

Three plain figures of one picture a chunk (mean, contrast, sharpness) are held against those of the scene's beginning,
when the model had the least of its own output to feed on. A scene lasts until the performer changes something that
should change the look, or the input itself comes to look otherwise. Pure: no threads, no parameters.
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
"""Grey levels that the mean of a colour may move: an eighth of the range, which everyone in the room sees."""

CONTRAST_BAND = math.log(1.6)
SHARPNESS_BAND = math.log(2.5)
"""Factors, up or down. Sharpness follows what is on the picture more than the others, so it may move furthest."""

SETTLING = 4
"""Chunks of a scene that are not looked at: a new prompt takes them to arrive."""

BASELINE = 8
"""Chunks after those whose median is how the scene looks at its best."""

RECENT = 64
"""Chunks that the best frame may be old: half a minute, so that the anchor still shows what is going on."""

PATIENCE = 2
"""Chunks in a row outside the band before it is drift: one flash is none."""

REST = 8
"""Chunks after a re-anchoring that are not judged: it needs them to work."""

ATTEMPTS = 3
"""Re-anchorings in a row that did not help before the look is taken as the new normal: it is not drift then."""

_FLOOR = 4.0
"""Grey levels added before ratios are taken: a black picture has no contrast to compare."""


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
        """Figure by figure."""
        rows = np.median([(*look.mean, *look.contrast, look.sharpness) for look in looks], axis=0).tolist()
        return cls(tuple(rows[:3]), tuple(rows[3:6]), rows[6])


@dataclass(frozen=True)
class Departure:
    """How far a look is from another. share: of the band, 1 at its edge. what: the figure that is furthest off, in
    words with both values."""

    share: float
    what: str

    @classmethod
    def between(cls, best: Look, now: Look) -> Departure:
        """The figure that moved most of its band."""
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
    """Sees one picture a chunk; knows how far the stream has drifted and which recent picture looked best."""

    def __init__(self) -> None:
        self.departure = NONE
        """Of the newest chunk; NONE while a scene settles."""
        self._scene: Hashable = None
        self._input: Look | None = None
        self._chunks = self._outside = self._rest = self._attempts = 0
        self._looks: list[Look] = []
        self._baseline: Look | None = None
        self._candidates: deque[tuple[int, float, Pixels]] = deque()
        """(chunk, share of the band, picture), the best first."""

    @property
    def best(self) -> Pixels | None:
        """The recent picture that is nearest to the scene's best look, the newer of two that are alike."""
        return self._candidates[0][2] if self._candidates else None

    @property
    def drifted(self) -> bool:
        """Whether it is time to do something about it."""
        return self._outside >= PATIENCE and self._rest == 0

    def see(self, picture: Pixels, scene: Hashable, shown: Pixels | None) -> None:
        """A finished chunk. picture: uint8 `[H, W, 3]`, its newest. scene: another one begins when this changes.

        shown: the input's newest picture, uint8 `[H, W, 3]`, or None without one.
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
        """A chunk was anchored: judge again when that has had time to work."""
        self._rest, self._outside = REST, 0

    def try_again(self) -> bool:
        """Drift was answered. False when that was so too often without help: the look is accepted then, and a new
        baseline begins."""
        self._attempts += 1
        if self._attempts < ATTEMPTS:
            return True
        self._looks, self._baseline, self._attempts = [], None, 0
        return False

    def _remember(self, picture: Pixels, share: float) -> None:
        """The candidates' shares rise from the front to the back, and so do their numbers: what is worse and older than
        another is of no use."""
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
    """Whether the input came, went, or looks otherwise."""
    if before is None or now is None:
        return before is not now
    return Departure.between(before, now).share > 1
