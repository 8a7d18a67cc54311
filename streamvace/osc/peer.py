"""Who is at the other end."""

from __future__ import annotations

from functools import lru_cache

Peer = tuple[str, int]
"""Host and port that a datagram came from, or that one goes to; for a TCP connection the host begins with `tcp:`."""

_TCP = "tcp:"


@lru_cache(maxsize=64)
def writer_name(peer: Peer) -> str:
    """How a sender is known to the parameters."""
    return f"osc:{peer[0]}:{peer[1]}"


def tcp_peer(host: str, port: int) -> Peer:
    """The other end of a connection. No UDP peer equals it: the same port may be in use for both."""
    return _TCP + host, port


def is_tcp(peer: Peer) -> bool:
    return peer[0].startswith(_TCP)


def udp_target(peer: Peer, port: int) -> Peer:
    """Where datagrams for `port` at this peer's host go."""
    return peer[0].removeprefix(_TCP), port
