"""Which moments of the control signal a chunk follows: pure functions on frames.

`smooth`: the frames captured since the last chunk, full motion. Output is one chunk behind its control.
`instant`: the newest frame, held through the chunk. Least delay; motion arrives in steps of a chunk.
`ahead`: the newest frame, extrapolated along its motion (dense optical flow) to the time each frame is shown. The delay
of `instant` without its steps; wrong where the motion changes direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.live.inputs.frame_ring import FrameRing
from streamvace.records.chunk import Pixels
from streamvace.records.frame import Frame

BASE_NS = 100_000_000
"""Time between the two frames that motion is measured from: several frames of a 30 Hz camera, so that noise is small
beside the motion, and short enough for motion to be straight."""

_FURTHEST_S = 0.5
"""Motion is extrapolated no further than this."""

_FLOW_SIZE = (128, 128)
"""The size at which flow is computed, for any picture: under a millisecond. A fixed size, because OpenCV's DIS crashes
the process at some sizes (256x30), and the stage process must never crash."""

_STILL = 0.25
"""Pixels of motion at that size, between the two frames, that count as noise."""


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


def extrapolate(before: Pixels, newest: Pixels, base_s: float, ahead_s: Sequence[float]) -> Pixels:
    """The newest picture, moved along its motion.

    before, newest: uint8 `[H, W, 4]`, captured `base_s` seconds apart; 0: there is only one, and it is held.
    ahead_s: F times in seconds after `newest`. Returns uint8 `[F, H, W, 4]`; border pixels are repeated into uncovered
    areas. A hard cut between the two pictures distorts one chunk.
    """
    velocity = None if base_s <= 0 else _flow(before, newest) / np.float32(base_s)
    if velocity is None or not velocity.any():
        return np.stack([newest] * len(ahead_s))
    height, width = newest.shape[:2]
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    scale = np.array([width / _FLOW_SIZE[0], height / _FLOW_SIZE[1]], np.float32)
    pictures = []
    for seconds in ahead_s:
        by = _arrived(velocity * np.float32(min(seconds, _FURTHEST_S)))
        by = cv2.resize(by, (width, height), interpolation=cv2.INTER_LINEAR) * scale
        maps = columns - by[..., 0], rows - by[..., 1]
        pictures.append(cv2.remap(newest, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    return np.stack(pictures)


def _arrived(by: NDArray[np.float32]) -> NDArray[np.float32]:
    """Forward motion as backward motion: for every pixel, how far its new content has moved, `[h, w, 2]`.

    by: how far each pixel moves, `[h, w, 2]`. Where content arrives, its own motion counts, the fastest on top. A pixel
    whose content has left keeps that motion, so it looks back to what was behind.
    """
    arrived = by.copy()
    rows, columns = np.nonzero(by.any(axis=-1))
    moves = by[rows, columns]
    order = np.argsort(np.hypot(moves[:, 0], moves[:, 1]))  # later writes overwrite earlier ones
    rows, columns, moves = rows[order], columns[order], moves[order]
    to_columns, to_rows = np.rint(columns + moves[:, 0]).astype(int), np.rint(rows + moves[:, 1]).astype(int)
    height, width = by.shape[:2]
    inside = (to_columns >= 0) & (to_columns < width) & (to_rows >= 0) & (to_rows < height)
    arrived[to_rows[inside], to_columns[inside]] = moves[inside]
    return arrived


def _flow(before: Pixels, after: Pixels) -> NDArray[np.float32]:
    """Dense optical flow (DIS, Kroeger et al. 2016) at the pixels of `after`: `[h, w, 2]`, in pixels of _FLOW_SIZE."""
    small = [
        cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGBA2GRAY), _FLOW_SIZE, interpolation=cv2.INTER_AREA)
        for picture in (before, after)
    ]
    dense = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    # Flow from the newer to the older picture is defined at the newer picture's pixels; negated, it points ahead.
    flow: NDArray[np.float32] = -dense.calc(small[1], small[0], None)
    flow[np.hypot(flow[..., 0], flow[..., 1]) < _STILL] = 0
    return flow
