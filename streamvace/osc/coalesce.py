"""What a burst of faders makes superfluous, found without decoding it.

A desk at full tilt sends faster than Python decodes, and what waits too long in the system's buffer is lost: the newest
value first of all. So plain numbers for an address that has a newer plain number in the same batch are dropped unread.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence

from osc_schema import Parameter
from streamvace.osc.peer import Peer

Arrival = tuple[bytes, Peer]
"""A datagram and its sender."""


class Coalescer:
    """Knows by its first bytes every message that sets one parameter to one `f` or `i`. Triggers are not among them:
    a button's release must not push out its press."""

    def __init__(self, schema: Mapping[str, Parameter]) -> None:
        self._heads: dict[bytes, tuple[str, bool]] = {}
        for row in schema.values():
            if row.access == "write" and row.type in ("float", "int", "bool", "choice"):
                address = row.address.encode()
                address += b"\0" * (4 - len(address) % 4)
                self._heads[address + b",f\0\0"] = (row.address, True)
                self._heads[address + b",i\0\0"] = (row.address, False)

    def thin(self, arrived: Sequence[Arrival]) -> list[Arrival]:
        """The same arrivals, in order, without those that a later, valid one of the same address overtakes.

        Setting every parameter from what is left gives exactly the values that all of them would have given.
        """
        settled: set[str] = set()
        kept: list[Arrival] = []
        for arrival in reversed(arrived):
            datagram = arrival[0]
            known = self._heads.get(datagram[:-4])
            if known is not None:
                address, is_float = known
                if address in settled:
                    continue
                # Any finite number sets these types; NaN is refused, so what came before it still counts.
                if not is_float or math.isfinite(struct.unpack(">f", datagram[-4:])[0]):
                    settled.add(address)
            kept.append(arrival)
        kept.reverse()
        return kept
