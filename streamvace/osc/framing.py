"""OSC packets in a byte stream, both ways that are in use. No I/O.

OSC 1.0 puts the size of a packet, a big-endian int32, in front of it. OSC 1.1 uses SLIP (RFC 1055) with the END byte
before and after. The first byte of a connection tells which: no packet is so large that its size would not begin with
a zero byte, and SLIP begins with END, or, from senders that leave out the first one, with the packet's own `/` or `#`.
A browser that is made to talk to this port says GET or POST, and is out at its first letter.
"""

from __future__ import annotations

import struct
from enum import Enum
from typing import Final

from streamvace.osc.codec import MAX_DATAGRAM

MAX_PACKET: Final = MAX_DATAGRAM
"""Bytes; the same as over UDP."""

_END: Final = b"\xc0"
_ESC: Final = b"\xdb"
_ESC_END: Final = b"\xdb\xdc"
_ESC_ESC: Final = b"\xdb\xdd"
_SIZE: Final = struct.Struct(">i")


class Framing(Enum):
    """How packets are told apart: OSC 1.0 or OSC 1.1."""

    LENGTH = "1.0"
    SLIP = "1.1"


def frame(packet: bytes, framing: Framing) -> bytes:
    """A packet as it goes into the stream."""
    if framing is Framing.LENGTH:
        return _SIZE.pack(len(packet)) + packet
    # The escape first, or it would escape the escapes.
    return _END + packet.replace(_ESC, _ESC_ESC).replace(_END, _ESC_END) + _END


class Unframer:
    """Packets out of the bytes of one connection, however they were cut on the way.

    Holds at most one unfinished packet, so no sender makes it grow.

    framing: None before the first byte.
    problem: one line on why nothing more can be made of this stream; empty while all is well.
    """

    def __init__(self) -> None:
        self.framing: Framing | None = None
        self.problem = ""
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The packets that these bytes complete, in order. Never raises; after a problem there are none."""
        if not data or self.problem:
            return []
        if self.framing is None:
            self.framing = _framing_of(data[0])
        if self.framing is None:
            self._give_up(f"neither a size nor SLIP: the stream begins with {data[:8]!r}")
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
                self._give_up(f"a packet of {size} bytes; a multiple of 4 up to {MAX_PACKET} is taken")
                return packets
            if len(held) - start - 4 < size:
                break
            packets.append(bytes(held[start + 4 : start + 4 + size]))
            start += 4 + size
        del held[:start]
        return packets

    def _slip(self, data: bytes) -> list[bytes]:
        packets: list[bytes] = []
        # Only the new bytes are searched: a packet that comes byte by byte costs no more than one that comes whole.
        *complete, rest = data.split(_END)
        for part in complete:
            packet = self._unescape(bytes(self._held) + part)
            self._held.clear()
            if packet is None:
                return packets
            if packet:  # two ENDs in a row: one packet's last and the next one's first
                packets.append(packet)
        self._held += rest
        if len(self._held) > 2 * MAX_PACKET:  # every byte may be escaped
            self._give_up(f"{len(self._held)} bytes without an end; packets up to {MAX_PACKET} bytes are taken")
        return packets

    def _unescape(self, escaped: bytes) -> bytes | None:
        """The packet, or None after giving up."""
        first, *others = escaped.split(_ESC)
        if any(part[:1] not in (b"\xdc", b"\xdd") for part in others):
            self._give_up("an escape byte that escapes nothing")
            return None
        packet = b"".join([first, *((_END if part[:1] == b"\xdc" else _ESC) + part[1:] for part in others)])
        if len(packet) > MAX_PACKET:
            self._give_up(f"a packet of {len(packet)} bytes; up to {MAX_PACKET} are taken")
            return None
        return packet

    def _give_up(self, problem: str) -> None:
        self.problem = problem
        self._held.clear()


def _framing_of(first: int) -> Framing | None:
    if first == 0:
        return Framing.LENGTH
    return Framing.SLIP if first in b"\xc0/#" else None
