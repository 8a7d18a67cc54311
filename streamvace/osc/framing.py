"""Framing of OSC packets in a byte stream. No I/O.

OSC 1.0 puts the size of a packet, a big-endian int32, in front of it. OSC 1.1 uses SLIP (RFC 1055) with the END byte
before and after. The first byte of a connection selects the framing: the size of an allowed packet begins with a zero
byte, and SLIP begins with END or, from senders that omit the first END, with the packet's own `/` or `#`. A browser
that is tricked into connecting here sends GET or POST and is rejected at its first byte.
"""

from __future__ import annotations

import struct
from enum import Enum
from typing import Final

from streamvace.osc.codec import MAX_DATAGRAM

MAX_PACKET: Final = MAX_DATAGRAM
"""Bytes; the same limit as over UDP."""

_END: Final = b"\xc0"
_ESC: Final = b"\xdb"
_ESC_END: Final = b"\xdb\xdc"
_ESC_ESC: Final = b"\xdb\xdd"
_SIZE: Final = struct.Struct(">i")


class Framing(Enum):
    """The framing of OSC 1.0 or OSC 1.1."""

    LENGTH = "1.0"
    SLIP = "1.1"


def frame(packet: bytes, framing: Framing) -> bytes:
    """A packet with its framing."""
    if framing is Framing.LENGTH:
        return _SIZE.pack(len(packet)) + packet
    # ESC first: replacing END inserts ESC bytes.
    return _END + packet.replace(_ESC, _ESC_ESC).replace(_END, _ESC_END) + _END


class Unframer:
    """Splits the bytes of one connection into packets, in pieces of any size.

    Keeps at most one unfinished packet, so its memory is bounded.

    framing: None before the first byte.
    problem: one line on why the stream cannot be read any further; empty without a problem.
    """

    def __init__(self) -> None:
        self.framing: Framing | None = None
        self.problem = ""
        self._held = bytearray()

    @property
    def unfinished(self) -> bool:
        """Whether a packet has begun and is not complete."""
        return bool(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that these bytes complete, in order. Never raises; returns none after a problem."""
        if not data or self.problem:
            return []
        if self.framing is None:
            self.framing = _framing_of(data[0])
        if self.framing is None:
            self._give_up(f"neither a packet size nor SLIP: the stream begins with {data[:8]!r}")
            return []
        return self._sized(data) if self.framing is Framing.LENGTH else self._slip(data)

    def _sized(self, data: bytes) -> list[bytes]:
        packets: list[bytes] = []
        held = self._held
        held += data
        start = 0
        while len(held) - start >= 4:
            (size,) = _SIZE.unpack_from(held, start)
            if size <= 0 or size % 4 or size > MAX_PACKET:
                self._give_up(f"a packet of {size} bytes; a size is a multiple of 4 up to {MAX_PACKET}")
                return packets
            if len(held) - start - 4 < size:
                break
            packets.append(bytes(held[start + 4 : start + 4 + size]))
            start += 4 + size
        del held[:start]
        return packets

    def _slip(self, data: bytes) -> list[bytes]:
        packets: list[bytes] = []
        # Only new bytes are searched: a packet that arrives byte by byte costs no more than one that arrives whole.
        *complete, rest = data.split(_END)
        for part in complete:
            packet = self._unescape(bytes(self._held) + part)
            self._held.clear()
            if packet is None:
                return packets
            if packet:  # the END after a packet and the one before the next give an empty part
                packets.append(packet)
        self._held += rest
        if len(self._held) > 2 * MAX_PACKET:  # every byte may be escaped
            self._give_up(f"{len(self._held)} bytes without an end; packets have up to {MAX_PACKET} bytes")
        return packets

    def _unescape(self, escaped: bytes) -> bytes | None:
        """The packet, or None after a problem."""
        first, *others = escaped.split(_ESC)
        if any(part[:1] not in (b"\xdc", b"\xdd") for part in others):
            self._give_up("an escape byte that escapes nothing")
            return None
        packet = b"".join([first, *((_END if part[:1] == b"\xdc" else _ESC) + part[1:] for part in others)])
        if len(packet) > MAX_PACKET:
            self._give_up(f"a packet of {len(packet)} bytes; the limit is {MAX_PACKET}")
            return None
        return packet

    def _give_up(self, problem: str) -> None:
        self.problem = problem
        self._held.clear()


def _framing_of(first: int) -> Framing | None:
    if first == 0:
        return Framing.LENGTH
    return Framing.SLIP if first in b"\xc0/#" else None
