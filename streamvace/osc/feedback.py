"""Subscribers, and the outputs that have changed. No sockets: the server sends."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from osc_schema import Parameter, Value
from streamvace.osc.peer import Peer, host_of, udp_target, writer_name

MAX_SUBSCRIBERS = 32
MAX_A_HOST = 24
"""Subscribers at one address, so that a host that forges ports leaves room for the others."""
EXPIRY = 600.0
"""Seconds without any message from a subscriber after which it is removed."""


@dataclass
class _Subscription:
    source: Peer
    heard: float


class Subscribers:
    """The targets of feedback, limited in number, each with an expiry. Belongs to one thread; times in seconds."""

    def __init__(self) -> None:
        self._by_target: dict[Peer, _Subscription] = {}

    def __len__(self) -> int:
        return len(self._by_target)

    def add(self, source: Peer, port: int | None, now: float) -> str:
        """Send to `port` at the source's host, or to the source itself. Returns one line if refused, else "".

        When the table is full, new subscribers are refused: a flood must not displace the controller in use.
        """
        self.forget_silent(now)
        target = source if port is None else udp_target(source, port)
        if target not in self._by_target:
            if len(self._by_target) >= MAX_SUBSCRIBERS:
                return f"{len(self._by_target)} subscribers, the limit is {MAX_SUBSCRIBERS}; unsubscribe one first"
            if sum(host_of(other) == host_of(target) for other in self._by_target) >= MAX_A_HOST:
                return f"{MAX_A_HOST} subscribers at {host_of(target)}, which is the limit; unsubscribe one first"
        self._by_target[target] = _Subscription(source, now)
        return ""

    def remove(self, source: Peer, port: int | None) -> None:
        """Undo `add` with the same port; without a port, remove every subscription of this source."""
        if port is not None:
            self._by_target.pop(udp_target(source, port), None)
            return
        for target in [target for target, entry in self._by_target.items() if source in (target, entry.source)]:
            del self._by_target[target]

    def heard_from(self, source: Peer, now: float) -> None:
        """Renew the subscriptions of this source."""
        for target, entry in self._by_target.items():
            if source in (target, entry.source):
                entry.heard = now

    def stood_still(self, seconds: float) -> None:
        """Nobody could be heard for so long: that is no silence of theirs."""
        for entry in self._by_target.values():
            entry.heard += seconds

    def forget_silent(self, now: float) -> None:
        """Remove subscribers that have been silent for EXPIRY."""
        for target in [target for target, entry in self._by_target.items() if now - entry.heard > EXPIRY]:
            del self._by_target[target]

    def targets(self, without: str = "") -> list[Peer]:
        """Everyone except the writer `without`: feedback of its own value would move a fader under the hand."""
        return [
            target
            for target, entry in self._by_target.items()
            if without not in (writer_name(target), writer_name(entry.source))
        ]

    def target_of(self, source: Peer) -> Peer:
        """Where to answer a source: the port it subscribed, otherwise the port it sends from."""
        for target, entry in self._by_target.items():
            if entry.source == source:
                return target
        return source


class StatusBoard:
    """The newest value of every output, and which have changed. Any thread may publish."""

    def __init__(self, schema: Mapping[str, Parameter]) -> None:
        self._rows = {row.address: row for row in schema.values() if row.access == "read"}
        self._lock = threading.Lock()
        self._values: dict[str, Value] = {
            address: row.default for address, row in self._rows.items() if row.default is not None
        }
        self._news: set[str] = set()

    def publish(self, address: str, value: Value) -> None:
        """Set an output. Texts and lists are cut to their limits; NaN and infinity are ignored.

        Raises KeyError for an address that is not an output and TypeError for a wrong type: bugs, not bad input.
        """
        row = self._rows[address]
        if row.type == "strings" and isinstance(value, tuple):
            kept: Value = tuple(_sendable(str(text), row) for text in value[: row.max_items])
        elif row.type == "string" and isinstance(value, str):
            kept = _sendable(value, row)
        elif row.type in ("float", "int", "bool") and isinstance(value, (int, float)):
            if not math.isfinite(value):
                return
            kept = {"float": float, "int": int, "bool": bool}[row.type](value)
        else:
            raise TypeError(f"{address} is a {row.type}, got {value!r}")
        with self._lock:
            if self._values[address] != kept:
                self._values[address] = kept
                self._news.add(address)

    def values(self) -> dict[str, Value]:
        """Every output: a copy."""
        with self._lock:
            return dict(self._values)

    def take_news(self) -> dict[str, Value]:
        """The outputs that have changed since the last call."""
        with self._lock:
            news = {address: self._values[address] for address in sorted(self._news)}
            self._news.clear()
            return news


def _sendable(text: str, row: Parameter) -> str:
    """A text without what OSC cannot carry, at most `max_length` characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")[: row.max_length]
