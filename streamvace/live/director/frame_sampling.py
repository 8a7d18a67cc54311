"""Which moments of the control signal a chunk follows: pure functions on frames.

`smooth`: the frames captured since the last chunk, full motion. A picture comes out one chunk after its control.
`instant`: the newest frame, held through the chunk. Least delay; motion arrives chunk by chunk.
`ahead`: the newest frame, moved on along its own motion (dense optical flow) to where things will be when each picture
is shown. The same delay as `instant` without its steps; a guess, wrong where motion turns.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.live.inputs.frame_ring import FrameRing
from streamvace.records.frame import Frame

Pixels = NDArray[np.uint8]

BASE_NS = 100_000_000
"""Time between the two frames that motion is read from: several frames of a 30 Hz camera, so that its noise is small
beside the motion, and short enough for straight lines."""

_FURTHEST_S = 0.5
"""Beyond this, motion is no longer guessed but held."""

_FLOW_SIZE = (128, 128)
"""Where flow is computed, whatever the picture's shape: under a millisecond. One size only, because OpenCV's DIS
crashes the process at some (256x30), and this is the process that must go on publishing."""

_STILL = 0.25
"""Pixels of motion at that size, between the two frames, that are noise."""


class ControlTiming(str, Enum):
    """The choices of `/streamvace/control_timing`."""

    SMOOTH = "smooth"
    INSTANT = "instant"
    AHEAD = "ahead"


def sample(ring: FrameRing, count: int, since_ns: int, timing: ControlTiming) -> list[Frame]:
    """`count` frames for a chunk, newest last; none before the first picture."""
    if timing is ControlTiming.SMOOTH:
        return ring.sample(count, since_ns)
    return ring.sample(1, since_ns) * count


def moved_on(before: Pixels, newest: Pixels, base_s: float, ahead_s: Sequence[float]) -> Pixels:
    """The newest picture where its motion will have taken it.

    before, newest: uint8 `[H, W, 4]`, captured `base_s` apart. ahead_s: seconds after `newest`, one a picture.
    Returns uint8 `[F, H, W, 4]`; edges are stretched into what motion uncovers. A hard cut between the two gives
    nonsense for one chunk, as any guess would.
    """
    if base_s <= 0:
        return np.stack([newest] * len(ahead_s))
    velocity = _flow(before, newest) / np.float32(base_s)
    if not velocity.any():
        return np.stack([newest] * len(ahead_s))
    height, width = newest.shape[:2]
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    scale = np.array([width / _FLOW_SIZE[0], height / _FLOW_SIZE[1]], np.float32)
    pictures = []
    for seconds in ahead_s:
        by = _arrived(velocity * np.float32(min(seconds, _FURTHEST_S)))
        by = cv2.resize(by, (width, height), interpolation=cv2.INTER_LINEAR) * scale
        pictures.append(
            cv2.remap(
                newest, columns - by[..., 0], rows - by[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
        )
    return np.stack(pictures)


def _arrived(by: NDArray[np.float32]) -> NDArray[np.float32]:
    """For every place, by how much what stands there now has moved; by: how far each place is carried, `[h, w, 2]`.

    Where a thing arrives, its own motion counts, the fastest on top. Where one has left, the place looks as far back as
    that thing went: to what was behind it.
    """
    arrived = by.copy()
    rows, columns = np.nonzero(by.any(axis=-1))
    moves = by[rows, columns]
    order = np.argsort(np.hypot(moves[:, 0], moves[:, 1]))  # written in this order: the last one stays
    rows, columns, moves = rows[order], columns[order], moves[order]
    to_columns, to_rows = np.rint(columns + moves[:, 0]).astype(int), np.rint(rows + moves[:, 1]).astype(int)
    height, width = by.shape[:2]
    inside = (to_columns >= 0) & (to_columns < width) & (to_rows >= 0) & (to_rows < height)
    arrived[to_rows[inside], to_columns[inside]] = moves[inside]
    return arrived


def _flow(before: Pixels, after: Pixels) -> NDArray[np.float32]:
    """Dense optical flow (DIS, Kroeger et al. 2016) at the places of `after`, in pixels of _FLOW_SIZE: `[h, w, 2]`."""
    small = [
        cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGBA2GRAY), _FLOW_SIZE, interpolation=cv2.INTER_AREA)
        for picture in (before, after)
    ]
    dense = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    # From the newer to the older: its arrows stand at the newer picture's places. Turned round, they point ahead.
    flow: NDArray[np.float32] = -dense.calc(small[1], small[0], None)
    flow[np.hypot(flow[..., 0], flow[..., 1]) < _STILL] = 0
    return flow
