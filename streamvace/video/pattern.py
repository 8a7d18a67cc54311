"""The built-in moving control picture, paced by the show's clock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvace.system.clock import Clock, ShowClock
from streamvace.system.errors import UserError
from streamvace.video.core.resize import fit_cover, with_alpha
from streamvace.video.core.threaded import ThreadedSource
from streamvace.world.pattern_stream import KINDS, PatternStream

MATTE = "mask"
"""The kind with a mask: depth as colours, the objects in alpha."""

_MATTE_SLOPE = 8
"""Alpha per step of depth: objects are opaque, their anti-aliased edges stay soft."""


def matte(depth: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 `[H, W, 3]` depth to `[H, W, 4]`: opaque inside the objects, transparent elsewhere."""
    pixels = with_alpha(depth)
    pixels[..., 3] = np.minimum(depth[..., 0].astype(np.uint16) * _MATTE_SLOPE, 255)
    return pixels


def still(kind: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The first picture of the pattern, uint8 `[H, W, 4]`, without opening it. Raises UserError for an unknown kind."""
    _check_kind(kind)
    picture = PatternStream("depth" if kind == MATTE else kind, size).frame(0.0)
    return matte(picture) if kind == MATTE else with_alpha(picture)


def _check_kind(kind: str) -> None:
    known = (*KINDS, MATTE)
    if kind not in known:
        raise UserError(f"unknown pattern {kind!r}: there is {', '.join(known)}; try pattern:{known[0]}")


class PatternSource(ThreadedSource):
    """A scene of the embedded model's own world.

    Frame n shows the world n / rate seconds after opening: a slow machine skips frames and keeps the speed. Drawing
    takes milliseconds, so each frame is drawn ahead of its time. Large pictures are drawn smaller and scaled up: the
    processor is for the model.
    """

    MOST_PIXELS = 110_000
    """Pixels drawn at most. The embedded model's own sizes are smaller, so they are exact."""

    def __init__(
        self,
        kind: str,
        size: tuple[int, int],
        rate: float = 24.0,
        seed: int = 0,
        clock: Clock | None = None,
    ) -> None:
        """kind: light, depth, edges, scene or mask (UserError otherwise); size: (width, height); rate: in Hz."""
        super().__init__(f"pattern:{kind}")
        _check_kind(kind)
        self.late = 0
        """Frames skipped because drawing took too long."""
        shrink = min(1.0, (self.MOST_PIXELS / (size[0] * size[1])) ** 0.5)
        self._size = size
        self._finish = matte if kind == MATTE else with_alpha
        self._stream = PatternStream(
            "depth" if kind == MATTE else kind, (round(size[0] * shrink), round(size[1] * shrink)), seed
        )
        self._rate = rate
        self._clock: Clock = clock or ShowClock()
        self._thread.start()

    def _run(self) -> None:
        opened_ns = self._clock.now()
        index = 0
        while True:
            seconds = index / self._rate
            due_ns = opened_ns + round(seconds * 1e9)
            pixels = fit_cover(self._finish(self._stream.frame(seconds)), self._size)
            self._clock.wait_until(due_ns, self._stop)
            if self._stop.is_set():
                return
            self._offer(pixels, due_ns)
            current = int((self._clock.now() - opened_ns) * self._rate / 1e9)
            self.late += max(0, current - index - 1)
            index = max(index + 1, current)
