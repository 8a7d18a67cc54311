"""What to show at each tick: the content clock, the queue of finished frames, and the bridging of a late chunk.

A pure state machine: it has no thread and no clock, and does not touch pixels. The presenter owns and locks it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from streamvace.records.chunk import Trace
from streamvace.records.frame import Made
from streamvace.system.clock import STALL_NS

_SECOND_NS = 1_000_000_000

MAX_QUEUED_FRAMES = 64
"""Bounds memory and latency. Flow control keeps the queue far below it; beyond it the oldest frames are dropped."""

_HISTORY_FRAMES = 12
"""Frames that a ping-pong covers: one chunk, the motion that was just shown."""

_PING_PONG_AFTER_NS = _SECOND_NS * 15 // 100
"""Up to this delay the frame is held: a brief reversal of motion looks like a fault."""


_SLACK = 0.01
"""In frames. Rounding must not delay a due frame by a whole tick."""


class HoldMode(str, Enum):
    """How a late chunk is bridged."""

    HOLD = "hold"
    PING_PONG = "pingpong"
    FADE = "fade"


class Shown(Enum):
    """Why a tick shows its picture.

    FRESH: first tick of a content frame. PACED: the same frame again, because content is slower than the output clock.
    REPEATED: a new frame was due and none was queued. SLATE: nothing has been generated yet.
    """

    FRESH = "fresh"
    PACED = "paced"
    REPEATED = "repeated"
    SLATE = "slate"


@dataclass(frozen=True, slots=True)
class ContentFrame:
    """One finished picture: uint8 `[H, W, 4]`, and what made it.

    captured_ns: of the control frame that this picture follows; 0 without one. trace: of its chunk.
    """

    pixels: NDArray[np.uint8]
    made: Made
    captured_ns: int
    trace: Trace = field(default=Trace())

    @property
    def generation(self) -> int:
        """Number of resets before it was made."""
        return self.made.generation


@dataclass
class PlayheadCounters:
    """received = fresh + dropped + discarded + queued; ticks = fresh + paced + repeated + slate."""

    received: int = 0
    fresh: int = 0
    paced: int = 0
    repeated: int = 0
    slate: int = 0
    dropped: int = 0
    discarded: int = 0


class Playhead:
    """Advances through content frames at the play rate. Every tick shows exactly one picture."""

    def __init__(self, play_rate: float) -> None:
        self.play_rate = play_rate
        self.counters = PlayheadCounters()
        self._queue: deque[ContentFrame] = deque()
        self._history: deque[ContentFrame] = deque(maxlen=_HISTORY_FRAMES)
        self._current: ContentFrame | None = None
        self._generation = 0
        self._due = 1.0  # content frames due since the last fresh one
        self._last_tick_ns: int | None = None
        self._late_since_ns: int | None = None

    def bridged_s(self, now_ns: int) -> float:
        """How long a new frame has been due; 0 if none is."""
        return 0.0 if self._late_since_ns is None else (now_ns - self._late_since_ns) / _SECOND_NS

    def ahead(self) -> tuple[ContentFrame | None, float]:
        """The frame that follows the one on show, and how much of the way to it has passed, 0..1. None while it is not
        there, and where the two are no one motion: at a reset, and at the begin of a new history."""
        following = self._queue[0] if self._queue else None
        now = self._current
        if following is None or now is None or following.generation != now.generation:
            return None, 0.0
        return (None, 0.0) if following.made.chunk < now.made.chunk else (following, min(max(self._due, 0.0), 1.0))

    @property
    def queued(self) -> int:
        """Number of frames not shown yet."""
        return len(self._queue)

    def cut(self, generation: int) -> None:
        """Drop queued frames of older generations. The current picture stays until a newer one exists."""
        if generation <= self._generation:
            return
        self._generation = generation
        self.counters.discarded += len(self._queue)
        self._queue.clear()
        self._history.clear()
        self._due = 1.0

    def offer(self, frames: Sequence[ContentFrame]) -> None:
        """Queue finished frames. Those older than the last cut are discarded; if it is full, the oldest are dropped."""
        for frame in frames:
            self.counters.received += 1
            self.cut(frame.generation)
            if frame.generation < self._generation:
                self.counters.discarded += 1
                continue
            self._queue.append(frame)
        while len(self._queue) > MAX_QUEUED_FRAMES:
            self._queue.popleft()
            self.counters.dropped += 1

    def tick(
        self, now_ns: int, hold_mode: HoldMode = HoldMode.HOLD, paused: bool = False
    ) -> tuple[Shown, ContentFrame | None]:
        """The picture of this tick; None with SLATE. While paused, the content clock stands still.

        now_ns: when the tick was due, not when it happened, so that content does not jitter with the thread.
        After a stall the content clock goes on where it stood: the queued frames are shown, not skipped.
        """
        elapsed_ns = 0 if self._last_tick_ns is None else max(0, now_ns - self._last_tick_ns)
        if elapsed_ns > STALL_NS:
            elapsed_ns = 0
        self._last_tick_ns = now_ns
        if paused and self._current is not None:
            self.counters.paced += 1
            return Shown.PACED, self._current
        self._due += elapsed_ns / _SECOND_NS * self.play_rate
        if self._queue and self._due >= 1.0 - _SLACK:
            return self._advance()
        if self._current is None:
            self.counters.slate += 1
            return Shown.SLATE, None
        if self._due < 1.0 - _SLACK:
            self.counters.paced += 1
            return Shown.PACED, self._current
        self.counters.repeated += 1
        return Shown.REPEATED, self._bridge(now_ns, hold_mode)

    def _advance(self) -> tuple[Shown, ContentFrame]:
        """Show the due frame. After a gap the content clock restarts, so late frames are not skipped to catch up."""
        late = self._late_since_ns is not None or self._current is None
        due = int(self._due + _SLACK)
        steps = 1 if late else min(due, len(self._queue))
        for _ in range(steps):
            self._current = self._queue.popleft()
            self._history.append(self._current)
        self.counters.dropped += steps - 1
        self.counters.fresh += 1
        self._due = 0.0 if late else self._due - due
        self._late_since_ns = None
        assert self._current is not None
        return Shown.FRESH, self._current

    def _bridge(self, now_ns: int, hold_mode: HoldMode) -> ContentFrame | None:
        """Hold the last picture, or play the last ones back and forth at the play rate. The presenter does the fade."""
        if self._late_since_ns is None:
            self._late_since_ns = now_ns
        late_ns = now_ns - self._late_since_ns
        if hold_mode is HoldMode.PING_PONG and late_ns >= _PING_PONG_AFTER_NS and len(self._history) > 1:
            step = int((late_ns - _PING_PONG_AFTER_NS) / _SECOND_NS * self.play_rate) + 1
            return self._history[_ping_pong(step, len(self._history))]
        return self._current


def _ping_pong(step: int, length: int) -> int:
    """Index at a step: from the last to the first and back, the ends not doubled."""
    turn = step % (2 * (length - 1))
    return abs(length - 1 - turn)
