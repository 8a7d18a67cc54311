"""sACN (ANSI E1.31): bytes to levels. Pure."""

from __future__ import annotations

import struct
from typing import Final

from streamvace.dmx.packets import SLOTS, Levels, PacketError

PORT: Final = 5568
UNIVERSES: Final = range(1, 64000)
MOST_PRIORITY: Final = 200

_ROOT: Final = struct.Struct(">2H12sHI16s")
_FRAMING: Final = struct.Struct(">HI64sBHBBH")
_DMP: Final = struct.Struct(">HBBHHHB")
_ID: Final = b"ASC-E1.17\0\0\0"
_ROOT_DATA, _ROOT_EXTENDED = 4, 8
_FRAMING_DATA: Final = 2
_DMP_SET, _DMP_TYPE = 2, 0xA1
_PREVIEW, _ENDED = 0x80, 0x40
_LEVELS: Final = 0
"""The start code of levels. Others carry priorities of channels, texts, tests."""
_LENGTH: Final = 0x0FFF


def group(universe: int) -> str:
    """The multicast group of a universe."""
    return f"239.255.{universe >> 8}.{universe & 0xFF}"


def parse(data: bytes) -> Levels | None:
    """A packet. None for synchronisation, discovery and start codes other than levels.

    Raises PacketError for what is no sACN, and for damaged packets.
    """
    if len(data) < _ROOT.size:
        raise PacketError(f"no sACN packet of {len(data)} bytes")
    preamble, postamble, identifier, root, vector, component = _ROOT.unpack_from(data)
    if (preamble, postamble, identifier) != (0x10, 0, _ID):
        raise PacketError(f"no sACN packet of {len(data)} bytes")
    if vector == _ROOT_EXTENDED:
        return None
    _is(vector, _ROOT_DATA, "root vector")
    # Each layer says how long it is, from its own start to the end.
    framing_at, dmp_at = _ROOT.size, _ROOT.size + _FRAMING.size
    start = dmp_at + _DMP.size
    if len(data) < start:
        raise PacketError(f"sACN of {len(data)} bytes, its head has {start}")
    framing, kind, name, priority, _, sequence, options, universe = _FRAMING.unpack_from(data, framing_at)
    _is(kind, _FRAMING_DATA, "framing vector")
    dmp, kind, addressing, first, step, count, code = _DMP.unpack_from(data, dmp_at)
    _is((kind, addressing, first, step), (_DMP_SET, _DMP_TYPE, 0, 1), "layer of levels")
    levels = count - 1
    if not 0 <= levels <= SLOTS or len(data) < start + levels:
        raise PacketError(f"sACN with {len(data) - start} of {levels} channels, it takes 0..{SLOTS}")
    for flags, at, layer in ((root, 16, "root"), (framing, framing_at, "framing"), (dmp, dmp_at, "levels")):
        _is(flags >> 12, 7, f"flags of the {layer}")
        _is(at + (flags & _LENGTH), start + levels, f"end of the {layer}")
    if universe not in UNIVERSES or priority > MOST_PRIORITY:
        raise PacketError(f"sACN universe {universe}, priority {priority}; they end at 63999 and {MOST_PRIORITY}")
    if code != _LEVELS:
        return None
    return Levels(
        "sacn",
        universe,
        component.hex(),
        sequence,
        data[start : start + levels],
        _printable(name.split(b"\0")[0].decode("utf-8", "replace")),
        priority,
        preview=bool(options & _PREVIEW),
        ended=bool(options & _ENDED),
    )


def _printable(name: str) -> str:
    """A sender's name for lines and the status, without what moves a cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _is(value: object, wanted: object, what: str) -> None:
    if value != wanted:
        raise PacketError(f"sACN {what} is {value}, it takes {wanted}")
