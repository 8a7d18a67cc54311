"""Art-Net 4: bytes to levels, and the answer to a poll. Pure."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from typing import Final

from streamvace.dmx.packets import SLOTS, Levels, PacketError

PORT: Final = 6454
MOST_UNIVERSE: Final = 0x7FFF
POLL_REPLY_SIZE: Final = 239

_ID: Final = b"Art-Net\0"
_POLL, _POLL_REPLY, _DMX = 0x2000, 0x2100, 0x5000
_VERSION: Final = 14
"""Of the protocol, since Art-Net II."""
_OEM: Final = 0x00FF
"""For products without a code of their own."""
_HEAD: Final = struct.Struct("<8sH2B")
_DMX_REST: Final = struct.Struct(">4BH")
_REPLY: Final = struct.Struct("<8sH4sH2B2B2B2B2s18s64s64s2B4s4s4s4s4s3B3sB6s4s2B4sB6s2B2BB10s")


@dataclass(frozen=True)
class Poll:
    """A controller asks who is there. low, high: only nodes with a universe in between answer."""

    low: int = 0
    high: int = MOST_UNIVERSE


def parse(data: bytes, host: str) -> Levels | Poll | None:
    """A packet from a host. None for the kinds that a fixture has no use for.

    Raises PacketError for what is no Art-Net, and for damaged packets of the kinds in use.
    """
    if len(data) < _HEAD.size or not data.startswith(_ID):
        raise PacketError(f"no Art-Net packet of {len(data)} bytes")
    _, kind, _, version = _HEAD.unpack_from(data)
    if kind not in (_POLL, _DMX):
        return None
    if version < _VERSION:
        raise PacketError(f"Art-Net version {version}, it takes {_VERSION}")
    return _dmx(data, host) if kind == _DMX else _poll(data)


def poll_reply(host: str, universe: int, name: str, report: str) -> bytes:
    """What a node says of itself. host: its IPv4 address. universe: the one that it hears, 0..32767. name: up to 17
    characters. report: one line about its state."""
    own = ipaddress.IPv4Address(host).packed
    port_types, good_output = bytes((0x80, 0, 0, 0)), bytes((0x80, 0, 0, 0))  # one port, output of Art-Net data
    status = (0xD0, 0x08)  # indicators normal, address set by the front panel; 15-bit universes
    packed = _REPLY.pack(
        *(_ID, _POLL_REPLY, own, PORT, 0, 1),
        *(universe >> 8, universe >> 4 & 0x0F, _OEM >> 8, _OEM & 0xFF, 0, status[0], b"\0\0"),
        *(_text(name, 18), _text(f"{name}: live video generation", 64), _text(f"#0001 [0000] {report}", 64)),
        *(0, 1, port_types, bytes(4), good_output, bytes(4), bytes((universe & 0x0F, 0, 0, 0))),
        *(0, 0, 0, bytes(3), 0, bytes(6), own, 1, status[1]),
        *(bytes(4), 0, bytes(6), 0, 0, 0, 0, 0, bytes(10)),
    )
    assert len(packed) == POLL_REPLY_SIZE
    return packed


def _text(text: str, size: int) -> bytes:
    """A text that ends in a zero, in so many bytes."""
    return text.encode("ascii", "replace")[: size - 1]


def _dmx(data: bytes, host: str) -> Levels:
    start = _HEAD.size + _DMX_REST.size
    if len(data) < start:
        raise PacketError(f"ArtDmx of {len(data)} bytes, its head has {start}")
    sequence, _, low, net, length = _DMX_REST.unpack_from(data, _HEAD.size)
    if not 1 <= length <= SLOTS or len(data) < start + length:
        raise PacketError(f"ArtDmx with {len(data) - start} of {length} channels, it takes 1..{SLOTS}")
    return Levels("artnet", (net & 0x7F) << 8 | low, host, sequence, data[start : start + length], host)


def _poll(data: bytes) -> Poll:
    """The flags and, if they say so, the range of universes that is meant."""
    targeted = len(data) >= 18 and data[12] & 0x20
    if not targeted:
        return Poll()
    high, low = struct.unpack_from(">2H", data, 14)
    return Poll(low, high)
