"""Coalescing of fader bursts before they are decoded.

A controller can send faster than Python decodes, and once the system's buffer is full the newest values are lost. So a
plain number is dropped undecoded if the same batch has a newer plain number for its address.
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
    """Recognises messages with one `f` or `i` for one parameter by their first bytes. Triggers are excluded: a
    button's release must not replace its press."""

    def __init__(self, schema: Mapping[str, Parameter]) -> None:
        self._heads: dict[bytes, tuple[str, bool]] = {}
        for row in schema.values():
            if row.access == "write" and row.type in ("float", "int", "bool", "choice"):
                address = row.address.encode()
                address += b"\0" * (4 - len(address) % 4)
                self._heads[address + b",f\0\0"] = (row.address, True)
                self._heads[address + b",i\0\0"] = (row.address, False)

    def coalesce(self, arrived: Sequence[Arrival]) -> list[Arrival]:
        """The same arrivals, in order, without those superseded by a later valid one of the same address.

        The remaining ones set exactly the values that all of them would have set.
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
                # Any finite number sets these types. NaN is refused, so the value before it still counts.
                if not is_float or math.isfinite(struct.unpack(">f", datagram[-4:])[0]):
                    settled.add(address)
            kept.append(arrival)
        kept.reverse()
        return kept
