"""Records in shared memory: a record that a worker describes wrongly is refused, and nothing outside is read."""

from __future__ import annotations

import atexit
import struct
from collections.abc import Iterable
from functools import cache

import numpy as np

from streamvace.live.worker.shared_block import Block, attach
from streamvace.live.worker.shared_frames import Packed, Plane, SharedFrames, arrays_of
from streamvace.records.chunk import Chunk
from tests.fuzz.target import Target

NAMES = ("frames", "index", "nothing")
"""Fields that a record may name: pixels, something else, and none at all."""
HEAD = struct.Struct("<Bq4q")
"""A plane: its name, its offset, its shape."""
FRAME = (4, 16, 16, 4)


def check(data: bytes) -> None:
    shared, block = blocks()
    planes = tuple(
        Plane(NAMES[name % len(NAMES)], tuple(shape), offset) for name, offset, *shape in HEAD.iter_unpack(_whole(data))
    )
    chunk = Chunk(np.empty(0, np.uint8), 0, 0, 0, 0, {})
    try:
        record = shared.unpack(Packed(chunk, planes))
    except (ValueError, TypeError):  # TypeError: no field of the record; the supervisor replaces the worker
        return
    for plane in planes:
        array = arrays_of(record)[plane.name]
        assert array.nbytes <= block.size
        assert array.tobytes() in bytes(block.buf)


def seeds() -> Iterable[bytes]:
    yield HEAD.pack(0, 0, *FRAME)
    yield HEAD.pack(0, 64, *FRAME) + HEAD.pack(2, 0, 1, 1, 1, 1)
    for offset in (-(2**20), -1, 2**40, 1000):
        yield HEAD.pack(0, offset, *FRAME)
    for side in (0, -1, 2**31, 2**62):
        yield HEAD.pack(0, 0, side, 16, 16, 4)


def _whole(data: bytes) -> bytes:
    """Whole planes only."""
    return data[: len(data) // HEAD.size * HEAD.size]


@cache
def blocks() -> tuple[SharedFrames, Block]:
    shared = SharedFrames.create(4096)
    atexit.register(shared.close)
    block = attach(shared.name)
    atexit.register(block.close)
    return shared, block


TARGET = Target("shared", seeds, check, rounds=1000)
