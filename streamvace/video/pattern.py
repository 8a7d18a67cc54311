"""The built-in moving control picture, paced by the show's clock."""

from __future__ import annotations

from streamvace.embedded.pattern_stream import KINDS, PatternStream
from streamvace.errors import UserError
from streamvace.video.pacing import Clock, ShowClock
from streamvace.video.resize import fit_cover, with_alpha
from streamvace.video.threaded import ThreadedSource


class PatternSource(ThreadedSource):
    """A scene of the embedded model's own world.

    Frame n shows the world n / rate seconds after opening, whatever came before it: a slow machine skips frames, it
    never slows the movement down. Each frame is drawn ahead of its time, on the source's own thread, since drawing
    takes milliseconds. Large pictures are drawn smaller and scaled up: the pattern must not cost what the model needs.
    """

    MOST_PIXELS = 110_000
    """Drawn at most; the embedded model's own sizes stay below and are exact."""

    def __init__(
        self,
        kind: str,
        size: tuple[int, int],
        rate: float = 24.0,
        seed: int = 0,
        clock: Clock | None = None,
    ) -> None:
        """kind: "depth", "edges" or "scene" (UserError otherwise); size: (width, height); rate: frames a second."""
        super().__init__(f"pattern:{kind}")
        if kind not in KINDS:
            raise UserError(f"unknown pattern {kind!r}: there is {', '.join(KINDS)}; try pattern:{KINDS[0]}")
        self.late = 0
        """Frames skipped because drawing took too long."""
        shrink = min(1.0, (self.MOST_PIXELS / (size[0] * size[1])) ** 0.5)
        self._size = size
        self._stream = PatternStream(kind, (round(size[0] * shrink), round(size[1] * shrink)), seed)
        self._rate = rate
        self._clock: Clock = clock or ShowClock()
        self._thread.start()

    def _run(self) -> None:
        opened_ns = self._clock.now()
        index = 0
        while True:
            seconds = index / self._rate
            due_ns = opened_ns + round(seconds * 1e9)
            pixels = fit_cover(with_alpha(self._stream.frame(seconds)), self._size)
            self._clock.wait_until(due_ns, self._stop)
            if self._stop.is_set():
                return
            self._offer(pixels, due_ns)
            current = int((self._clock.now() - opened_ns) * self._rate / 1e9)
            self.late += max(0, current - index - 1)
            index = max(index + 1, current)
