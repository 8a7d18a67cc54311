"""When the next cue comes by itself: a time after the recall of one with `follow`.

Threads: the OSC thread tells of recalls; any thread may read what is left; a thread of the timer's own asks for the
next cue and otherwise sleeps.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from streamvace.system.clock import now_ns

ROW: Final = "/streamvace/auto_follow"


class CueTimer:
    """Without `start` it only counts. Another recall replaces what was waiting."""

    def __init__(self, clock: Callable[[], int] = now_ns) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._due_ns: int | None = None
        self._go: Callable[[], None] = lambda: None
        self._wanted: Callable[[], bool] = lambda: True
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="cue timer", daemon=True)

    def start(self, go: Callable[[], None], wanted: Callable[[], bool]) -> None:
        """Begin to act. go: recalls the next cue. wanted: whether cues may follow by themselves at that moment."""
        self._go, self._wanted = go, wanted
        self._thread.start()

    def recalled(self, follow_s: float | None) -> None:
        """A cue was recalled. follow_s: when the next one comes; None: not by itself."""
        with self._changed:
            self._due_ns = None if follow_s is None else self._clock() + round(follow_s * 1e9)
            self._changed.notify()

    def left_s(self) -> float:
        """Seconds until the next cue comes; 0 if none does."""
        with self._changed:
            due_ns = self._due_ns
        return 0.0 if due_ns is None or not self._wanted() else max(0.0, (due_ns - self._clock()) / 1e9)

    def due(self) -> bool:
        """Whether the next cue must be recalled now. It is asked for once: afterwards nothing waits."""
        with self._changed:
            if self._due_ns is None or self._clock() < self._due_ns:
                return False
            self._due_ns = None
        return self._wanted()

    def close(self) -> None:
        """End the thread. Nothing follows any more."""
        with self._changed:
            self._ended, self._due_ns = True, None
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._ended:
                    return
                left_s = None if self._due_ns is None else (self._due_ns - self._clock()) / 1e9
                if left_s is None or left_s > 0:
                    self._changed.wait(left_s)
            if self.due():
                self._go()
