"""Names and addresses of OSC senders."""

from __future__ import annotations

from functools import lru_cache

Peer = tuple[str, int]
"""Host and port of a sender or target; for a TCP connection the host begins with `tcp:`."""

SURFACE = "surface"
"""The host of clients inside this process, such as the web page."""

_TCP = "tcp:"


@lru_cache(maxsize=64)
def writer_name(peer: Peer) -> str:
    """The name of a sender as a writer of parameters."""
    return f"osc:{peer[0]}:{peer[1]}"


def tcp_peer(host: str, port: int) -> Peer:
    """The peer of a TCP connection. It never equals a UDP peer: both may use the same port."""
    return _TCP + host, port


def is_tcp(peer: Peer) -> bool:
    """Whether the peer is a TCP connection."""
    return peer[0].startswith(_TCP)


def shown(peer: Peer) -> str:
    """A peer as people read it: `10.0.0.5:9000`, `tcp 10.0.0.5:9000`, or the page."""
    host = host_of(peer)
    if host == SURFACE:
        return "the page"
    return f"{'tcp ' if is_tcp(peer) else ''}{f'[{host}]' if ':' in host else host}:{peer[1]}"


def host_of(peer: Peer) -> str:
    """The host of a peer; SURFACE for a client inside this process."""
    return peer[0].removeprefix(_TCP)


def udp_target(peer: Peer, port: int) -> Peer:
    """The UDP port `port` at the host of a peer."""
    return host_of(peer), port
