"""What the two protocols have in common: the levels of one universe, and what is wrong with a packet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

SLOTS: Final = 512
"""Channels of a universe."""
LATE: Final = 20
"""A packet up to this many numbers behind the newest is late; further behind, the sender has started anew."""

Protocol = Literal["artnet", "sacn"]


class PacketError(Exception):
    """A packet that is none: one line with what it has and what it should have."""


@dataclass(frozen=True)
class Levels:
    """The levels of one universe from one sender.

    universe: as the protocol numbers it. source: what tells senders apart, its address or its component id. sequence:
    1..255 for Art-Net, 0 without; 0..255 for sACN. levels: up to SLOTS bytes, from channel 1. name, priority, preview,
    ended: of sACN; its name, 0..200, whether it is for visualisers only, and whether the sender stops.
    """

    protocol: Protocol
    universe: int
    source: str
    sequence: int
    levels: bytes
    name: str = ""
    priority: int = 100
    preview: bool = False
    ended: bool = False
