"""Who sends a universe, and which of their levels count. Pure; times in seconds.

Two rules, one for each protocol. Both forget a sender that is silent, and drop packets that arrive out of order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from streamvace.dmx.packets import LATE, SLOTS, Levels

SACN_SILENT_S: Final = 2.5
"""E1.31: so long after its last packet a source is lost."""
ARTNET_SILENT_S: Final = 10.0
"""Art-Net: so long a silent source takes part in a merge. Older desks repeat unchanged levels every four seconds."""
ARTNET_SOURCES: Final = 2
"""Art-Net merges two; a third one waits until one of them is silent."""
SACN_SOURCES: Final = 8
"""Sources kept at a time; the weakest makes room for a stronger one."""


@dataclass
class Source:
    """One sender. levels: SLOTS bytes. seen: when it was heard last. changed: for each channel the number of the packet
    that changed it last, of all packets of the universe."""

    name: str
    priority: int
    sequence: int
    levels: bytes
    seen: float
    changed: list[int] = field(default_factory=lambda: [0] * SLOTS)


class ArtNetSources:
    """At most two senders of a universe, told apart by their addresses."""

    silent_s = ARTNET_SILENT_S

    def __init__(self, *, latest: bool) -> None:
        """latest: for each channel the level of the source that changed it last; else the highest level."""
        self._latest = latest
        self.sources: dict[str, Source] = {}
        self._packets = 0

    def take(self, packet: Levels, now: float) -> bool:
        """A packet; whether it counts."""
        self.forget(now)
        known = self.sources.get(packet.source)
        if known is None and len(self.sources) >= ARTNET_SOURCES:
            return False
        if known is not None and _is_late_artnet(known.sequence, packet.sequence):
            return False
        self._packets += 1
        _update(self.sources, packet, now, self._packets)
        return True

    def forget(self, now: float) -> None:
        """Drop the senders that are silent."""
        _forget(self.sources, now, self.silent_s)

    def merged(self) -> bytes | None:
        """The levels that count; None without a sender."""
        return _merged(list(self.sources.values()), latest=self._latest)


class SacnSources:
    """The senders of a universe, told apart by their component ids. Those of the highest priority count; among equals
    the highest level of each channel."""

    silent_s = SACN_SILENT_S

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {}
        self._packets = 0

    def take(self, packet: Levels, now: float) -> bool:
        """A packet; whether it counts. What is for visualisers only never does."""
        self.forget(now)
        if packet.preview:
            return False
        known = self.sources.get(packet.source)
        if known is not None and is_late_sacn(known.sequence, packet.sequence):
            return False
        if packet.ended:
            return self.sources.pop(packet.source, None) is not None
        if known is None and not self._room(packet.priority):
            return False
        self._packets += 1
        _update(self.sources, packet, now, self._packets)
        return True

    def forget(self, now: float) -> None:
        """Drop the senders that are silent."""
        _forget(self.sources, now, self.silent_s)

    def merged(self) -> bytes | None:
        """The levels that count; None without a sender."""
        highest = max((source.priority for source in self.sources.values()), default=0)
        return _merged([source for source in self.sources.values() if source.priority == highest], latest=False)

    def _room(self, priority: int) -> bool:
        """Make room for a source of this priority; whether there is some."""
        if len(self.sources) < SACN_SOURCES:
            return True
        weakest = min(self.sources, key=lambda each: self.sources[each].priority)
        if self.sources[weakest].priority >= priority:
            return False
        del self.sources[weakest]
        return True


def is_late_sacn(last: int, new: int) -> bool:
    """E1.31, 6.7.2: the same number again, or one a little behind it. Further behind, the sender has started anew."""
    behind = (last - new) & 0xFF
    return behind < LATE


def _is_late_artnet(last: int, new: int) -> bool:
    """Numbers go from 1 to 255; a sender of zeros does not count. The same number again is a desk that never counts."""
    behind = (last - new) % 255
    return bool(last and new) and 0 < behind < LATE


def _update(sources: dict[str, Source], packet: Levels, now: float, number: int) -> None:
    """A packet with fewer channels than before leaves the others at zero."""
    levels = packet.levels.ljust(SLOTS, b"\0")
    source = sources.get(packet.source)
    if source is None:
        source = sources[packet.source] = Source(packet.name, packet.priority, packet.sequence, bytes(SLOTS), now)
        source.changed = [number] * SLOTS
    elif levels != source.levels:
        source.changed = [
            number if new != old else at for new, old, at in zip(levels, source.levels, source.changed, strict=True)
        ]
    source.name, source.priority = packet.name, packet.priority
    source.sequence, source.levels, source.seen = packet.sequence, levels, now


def _forget(sources: dict[str, Source], now: float, silent_s: float) -> None:
    for name in [name for name, source in sources.items() if now - source.seen > silent_s]:
        del sources[name]


def _merged(sources: list[Source], *, latest: bool) -> bytes | None:
    if len(sources) < 2:
        return sources[0].levels if sources else None
    if not latest:
        return bytes(map(max, *(source.levels for source in sources)))
    return bytes(max((source.changed[slot], source.levels[slot]) for source in sources)[1] for slot in range(SLOTS))
