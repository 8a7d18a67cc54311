"""What the show and the port process write to each other: frames with the time at which their bytes arrived or left."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from streamvace.system.device_process import Read, read_exactly

HEAD: Final = struct.Struct("<cBHQ")
"""Kind, port, number of bytes that follow, and the time in nanoseconds of `system.clock.now_ns`."""

BYTES: Final = b"M"
"""MIDI bytes of a port."""
OPENED: Final = b"O"
"""A port was opened; the bytes are the name of its device."""
CLOSED: Final = b"C"
"""A port is gone; the bytes are the name of its device."""
LINE: Final = b"L"
"""What could not be opened, and why, in one line."""
SEND: Final = b"S"
"""To the port process: MIDI bytes for the device of a port."""
KINDS: Final = (BYTES, OPENED, CLOSED, LINE, SEND)

MOST: Final = 4096
"""Bytes of a frame; longer ones are system exclusive, which nothing here reads."""


class Frame(NamedTuple):
    """See HEAD."""

    kind: bytes
    port: int
    at_ns: int
    data: bytes


def pack(kind: bytes, port: int, at_ns: int, data: bytes) -> bytes:
    """A frame as bytes; what is longer than MOST is cut."""
    data = data[:MOST]
    return HEAD.pack(kind, port, len(data), at_ns) + data


def read(stream: Read) -> Frame | None:
    """The next frame; None when the stream ends or holds something else. stream: waits, and reads at most so many."""
    head = read_exactly(stream, HEAD.size)
    if head is None:
        return None
    kind, port, size, at_ns = HEAD.unpack(head)
    data = read_exactly(stream, size) if kind in KINDS and size <= MOST else None
    return None if data is None else Frame(kind, port, at_ns, data)
