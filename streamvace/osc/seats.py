"""Who may stay connected over TCP. No sockets, no clock: the caller passes seconds.

Anyone who reaches the port can connect and say nothing. So nobody is refused: when a limit is reached, the connection
that has never sent a message, or has been silent longest, makes room for the new one. HTTP connections are another
matter (`system.connections`): between two requests nobody needs them, while a silent fader box must stay connected.
"""

from __future__ import annotations

from dataclasses import dataclass

from streamvace.osc.peer import Peer, host_of
from streamvace.system.connections import MOST_CONNECTIONS, MOST_PER_HOST, rivals_of

FRAME_SECONDS = 10.0
"""From the first byte of a packet to its last. 64 KiB over the slowest network take less."""
MUTE_SECONDS = 600.0
"""How long a connection may say nothing at all. One that has sent a message stays: a button may be pressed once a show,
and many senders lose the message after which they notice that they were disconnected."""


@dataclass
class _Seat:
    host: str
    heard: float
    spoken: bool = False
    unfinished_since: float | None = None


class Seats:
    """The connections, in the order in which they came."""

    def __init__(self, most: int = MOST_CONNECTIONS, most_per_host: int = MOST_PER_HOST) -> None:
        self._most = most
        self._most_per_host = most_per_host
        self._seats: dict[Peer, _Seat] = {}

    def take(self, peer: Peer, now: float) -> Peer | None:
        """A new connection. Returns the one that must go for it, or None."""
        host = host_of(peer)
        hosts = {other: seat.host for other, seat in self._seats.items()}
        rivals = rivals_of(host, hosts, self._most, self._most_per_host)
        goes = min(rivals, key=lambda other: (self._seats[other].spoken, self._seats[other].heard), default=None)
        self._seats[peer] = _Seat(host, now)
        return goes

    def heard(self, peer: Peer, now: float, *, packets: int, unfinished: bool) -> None:
        """Bytes have come in: this many packets are complete, and another has begun or not."""
        seat = self._seats[peer]
        seat.heard = now
        seat.spoken = seat.spoken or packets > 0
        if not unfinished:
            seat.unfinished_since = None
        elif seat.unfinished_since is None or packets:
            seat.unfinished_since = now

    def leave(self, peer: Peer) -> None:
        """A connection has ended."""
        self._seats.pop(peer, None)

    def overdue(self, now: float) -> dict[Peer, str]:
        """The connections that must end, each with the reason."""
        overdue = {}
        for peer, seat in self._seats.items():
            if seat.unfinished_since is not None and now - seat.unfinished_since > FRAME_SECONDS:
                overdue[peer] = f"a packet was not complete after {FRAME_SECONDS:.0f} s"
            elif not seat.spoken and now - seat.heard > MUTE_SECONDS:
                overdue[peer] = f"no message in {MUTE_SECONDS / 60:.0f} min"
        return overdue

    def stood_still(self, seconds: float) -> None:
        """Nobody could be heard for so long: that is no silence of theirs."""
        for seat in self._seats.values():
            seat.heard += seconds
            if seat.unfinished_since is not None:
                seat.unfinished_since += seconds
