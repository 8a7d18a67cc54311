"""What a light desk sends: bytes written out by hand from the two protocols."""

from __future__ import annotations

import struct

COMPONENT = bytes(range(16))


def art_dmx(levels: bytes, universe: int = 1, sequence: int = 0, *, version: int = 14) -> bytes:
    """An ArtDmx packet."""
    head = b"Art-Net\0" + struct.pack("<H", 0x5000) + bytes((0, version, sequence, 0))
    return head + bytes((universe & 0xFF, universe >> 8)) + struct.pack(">H", len(levels)) + levels


def art_poll(flags: int = 0, low: int = 0, high: int = 0) -> bytes:
    """An ArtPoll packet; flag 0x20 asks only nodes with a universe between low and high."""
    head = b"Art-Net\0" + struct.pack("<H", 0x2000) + bytes((0, 14, flags, 0))
    return head + struct.pack(">2H", high, low)


def sacn_data(
    levels: bytes,
    universe: int = 1,
    sequence: int = 0,
    *,
    priority: int = 100,
    options: int = 0,
    component: bytes = COMPONENT,
    name: str = "desk",
    code: int = 0,
) -> bytes:
    """An E1.31 data packet. options: 0x80 preview, 0x40 the stream ends."""
    count = len(levels) + 1
    dmp = struct.pack(">HBBHHH", 0x7000 | (10 + count), 2, 0xA1, 0, 1, count) + bytes((code,)) + levels
    text = name.encode().ljust(64, b"\0")
    framing = struct.pack(">HI64sBHBBH", 0x7000 | (77 + len(dmp)), 2, text, priority, 0, sequence, options, universe)
    inner = framing + dmp
    root = struct.pack(">2H12sHI16s", 0x10, 0, b"ASC-E1.17\0\0\0", 0x7000 | (22 + len(inner)), 4, component)
    return root + inner


def universe(**levels: int) -> bytes:
    """512 levels, by channel: `universe(c1=255)`."""
    made = bytearray(512)
    for name, level in levels.items():
        made[int(name[1:]) - 1] = level
    return bytes(made)
