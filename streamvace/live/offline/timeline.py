"""The pictures of a film by their time, as a live show pairs its inputs.

A show gives every frame of the leading input the frames of the other inputs that were captured nearest to it
(`FrameRing.nearest`). Offline, presentation times stand for capture times, so films of different and of variable frame
rates run at their own speed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from streamvace.records.chunk import Pixels
from streamvace.system.errors import UserError

Shown = tuple[float, float, Pixels]
"""(start, duration, picture): seconds, seconds, uint8 `[H, W, 4]`."""

TIE_S = 2.1e-3
"""Two pictures whose distances from a moment differ by less are equally near, and the earlier one is taken. Matroska
rounds times to milliseconds: two distances that are equal in the film differ by up to 2 ms in the file."""


class Timeline:
    """One film, read once, forwards. Not thread-safe."""

    def __init__(self, shown: Iterator[Shown], name: object) -> None:
        """shown: the pictures by rising start; the last one is held for ever. name: of the film, for a message. Raises
        UserError for a film without pictures."""
        first = next(shown, None)
        if first is None:
            raise UserError(f"{name} contains no frame; use another")
        self._shown = shown
        self._now = first
        self._next = next(shown, None)

    def at(self, moments: Sequence[float]) -> Pixels:
        """The nearest picture to each moment, uint8 `[F, H, W, 4]`. moments: F times in seconds that never fall, from
        one call to the next either."""
        return np.stack([self._nearest(moment) for moment in moments])

    def _nearest(self, moment: float) -> Pixels:
        while self._next is not None and self._next[0] - moment + TIE_S < abs(moment - self._now[0]):
            self._now, self._next = self._next, next(self._shown, None)
        return self._now[2]


def looped(play: Callable[[], Iterator[Shown]]) -> Iterator[Shown]:
    """The film again and again, with times that rise. play: opens it; a film without pictures ends at once."""
    begins = ends = 0.0
    while True:
        for start, duration, picture in play():
            ends = begins + start + duration
            yield begins + start, duration, picture
        if ends == begins:
            return
        begins = ends
