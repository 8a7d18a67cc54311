"""What the sound process writes to its pipe: results of the analysis with the time at which their sound arrived."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from streamvace.sound.analysis import LEVELS, Heard
from streamvace.system.device_process import Read, read_exactly

HEAD: Final = struct.Struct("<cHQ")
"""Kind, number of bytes that follow, and the time in nanoseconds of `system.clock.now_ns`."""
_HEARD: Final = struct.Struct(f"<{len(LEVELS) + 2}f")

HEARD: Final = b"H"
"""A result."""
OPENED: Final = b"O"
"""The device was opened; the bytes are its name."""
LINE: Final = b"L"
"""What is wrong, in one line."""
KINDS: Final = (HEARD, OPENED, LINE)

MOST: Final = 1024
"""Bytes of a frame."""


class Frame(NamedTuple):
    """See HEAD."""

    kind: bytes
    at_ns: int
    data: bytes


def pack(kind: bytes, at_ns: int, data: bytes) -> bytes:
    """A frame as bytes; what is longer than MOST is cut."""
    data = data[:MOST]
    return HEAD.pack(kind, len(data), at_ns) + data


def pack_heard(heard: Heard) -> bytes:
    """The bytes of a result."""
    return _HEARD.pack(*(heard.levels[name] for name in LEVELS), heard.hit, heard.loudness)


def heard(data: bytes) -> Heard | None:
    """A result from its bytes; None for other bytes."""
    if len(data) != _HEARD.size:
        return None
    *levels, hit, loudness = _HEARD.unpack(data)
    return Heard(dict(zip(LEVELS, levels, strict=True)), hit, loudness)


def read(stream: Read) -> Frame | None:
    """The next frame; None when the stream ends or holds something else. stream: waits, and reads at most so many."""
    head = read_exactly(stream, HEAD.size)
    if head is None:
        return None
    kind, size, at_ns = HEAD.unpack(head)
    data = read_exactly(stream, size) if kind in KINDS and size <= MOST else None
    return None if data is None else Frame(kind, at_ns, data)
