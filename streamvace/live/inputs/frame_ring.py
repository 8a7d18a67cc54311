"""The newest frames of one input, kept until a chunk is built from them.

Threads: a source thread pushes, the engine thread samples, the presenter reads the newest. One lock, held for
microseconds; no pixels are copied under it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from streamvace.records.frame import Frame

DEFAULT_CAPACITY = 96
"""Frames: 1.6 s of a 60 Hz source, more than one chunk on any machine that is fast enough for a show."""


@dataclass(frozen=True)
class RingCounters:
    """received: frames pushed. overwritten: frames dropped before any chunk could sample them."""

    received: int
    overwritten: int


class FrameRing:
    """A bounded buffer. Pushing never blocks and never fails; the oldest frame is dropped."""

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        if capacity < 1:
            raise ValueError(f"a frame ring holds at least one frame, not {capacity}")
        self._frames: deque[Frame] = deque(maxlen=capacity)
        self._lock = threading.Lock()
        self._received = 0
        self._overwritten = 0
        self._sampled_up_to_ns = -1

    def push(self, frame: Frame) -> None:
        """Append a frame; drop the oldest when the ring is full."""
        with self._lock:
            frames = self._frames
            if len(frames) == frames.maxlen and frames[0].captured_ns > self._sampled_up_to_ns:
                self._overwritten += 1
            frames.append(frame)
            self._received += 1

    def newest(self) -> Frame | None:
        """The frame pushed last, or None before the first."""
        with self._lock:
            return self._frames[-1] if self._frames else None

    def sample(self, count: int, since_ns: int) -> list[Frame]:
        """`count` frames spread evenly in time over those captured after `since_ns`; the last is the newest.

        With fewer frames than `count`, the nearest in time are repeated. With none after `since_ns`, the newest is
        repeated. An empty ring gives an empty list.
        """
        with self._lock:
            if not self._frames:
                return []
            newest = self._frames[-1]
            fresh = [frame for frame in self._frames if frame.captured_ns > since_ns]
            self._sampled_up_to_ns = newest.captured_ns
        return _spread(fresh or [newest], count)

    def nearest(self, moments_ns: Sequence[int]) -> list[Frame]:
        """For each moment, the frame captured nearest to it. An empty ring gives an empty list."""
        with self._lock:
            if not self._frames:
                return []
            frames = list(self._frames)
            self._sampled_up_to_ns = frames[-1].captured_ns
        return [min(frames, key=lambda frame: abs(frame.captured_ns - moment)) for moment in moments_ns]

    def beside(self, moment_ns: int) -> Frame | None:
        """The frame captured nearest to a moment, to be shown; None before the first. Counts as no sample."""
        with self._lock:
            return min(self._frames, key=lambda frame: abs(frame.captured_ns - moment_ns), default=None)

    def counters(self) -> RingCounters:
        """Counts since the start."""
        with self._lock:
            return RingCounters(self._received, self._overwritten)


def _spread(frames: list[Frame], count: int) -> list[Frame]:
    """Pick by time, not by index, so that an irregular source keeps its real motion."""
    first_ns, last_ns = frames[0].captured_ns, frames[-1].captured_ns
    picked: list[Frame] = []
    at = 0
    for i in range(count - 1):
        target_ns = first_ns + (last_ns - first_ns) * i // (count - 1)
        while at + 1 < len(frames) and abs(frames[at + 1].captured_ns - target_ns) <= abs(
            frames[at].captured_ns - target_ns
        ):
            at += 1
        picked.append(frames[at])
    picked.append(frames[-1])
    return picked


class Rings(Protocol):
    """Anything with a frame ring for each role: the inputs, or the signals made from them."""

    def ring(self, role: str) -> FrameRing:
        """The ring of the input that plays this role now."""
