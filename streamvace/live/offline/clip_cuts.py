"""Marks the frames of a clip that a hard cut begins with, for `/streamvace/follow_cuts`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from streamvace.live.director.cut_watch import CutWatch
from streamvace.live.offline.timeline import Shown
from streamvace.records.frame import Frame


def marked(clip: Iterator[Shown]) -> Iterator[tuple[Shown, bool]]:
    """Every frame in order, and whether a cut begins with it. Reads ahead until a cut can be told from a flash."""
    watch = CutWatch()
    waiting: deque[tuple[int, Shown]] = deque()
    for number, shown in enumerate(clip):
        start, _, picture = shown
        frame = Frame(picture, round(start * 1e9), "clip", number)
        waiting.append((frame.captured_ns, shown))
        watch.look([frame])
        while not watch.undecided and waiting:
            at_ns, first = waiting.popleft()
            yield first, at_ns == watch.cut_ns
    yield from ((rest, False) for _, rest in waiting)  # too short to tell from a flash
