"""The built-in moving control picture, paced by the show's clock."""

from __future__ import annotations

from streamvace.embedded.pattern_stream import KINDS, PatternStream
from streamvace.errors import UserError
from streamvace.video.pacing import Clock, ShowClock
from streamvace.video.resize import with_alpha
from streamvace.video.threaded import ThreadedSource


class PatternSource(ThreadedSource):
    """A scene of the embedded model's own world.

    Frame n shows the world n / rate seconds after opening, whatever came before it: a slow machine skips frames, it
    never slows the movement down. Each frame is drawn ahead of its time, on the source's own thread, since drawing
    takes milliseconds (5 at 256x192, more for larger pictures).
    """

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
        self._stream = PatternStream(kind, size, seed)
        self._rate = rate
        self._clock: Clock = clock or ShowClock()
        self._thread.start()

    def _run(self) -> None:
        opened_ns = self._clock.now()
        index = 0
        while True:
            seconds = index / self._rate
            due_ns = opened_ns + round(seconds * 1e9)
            pixels = with_alpha(self._stream.frame(seconds))
            self._clock.wait_until(due_ns, self._stop)
            if self._stop.is_set():
                return
            self._offer(pixels, due_ns)
            current = int((self._clock.now() - opened_ns) * self._rate / 1e9)
            self.late += max(0, current - index - 1)
            index = max(index + 1, current)
