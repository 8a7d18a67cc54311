"""Names and addresses of OSC senders."""

from __future__ import annotations

from functools import lru_cache

Peer = tuple[str, int]
"""Host and port of a sender or target; for a TCP connection the host begins with `tcp:`."""

SURFACE = "surface"
"""The host of a page on this machine, which is a client inside this process."""
MIDI = "midi"
"""The host of the MIDI devices, which are one too."""
DMX = "dmx"
"""The host of the light desk, which is one as well."""
SHOW = ("show", 0)
"""The sender of what comes by itself: cues that follow or have a time."""
_INSIDE = {SURFACE: "the page", MIDI: "MIDI", DMX: "the light desk", SHOW[0]: "the show"}

_TCP = "tcp:"
_SURFACE_AT = "surface@"


@lru_cache(maxsize=64)
def writer_name(peer: Peer) -> str:
    """The name of a sender as a writer of parameters."""
    return f"osc:{peer[0]}:{peer[1]}"


def tcp_peer(host: str, port: int) -> Peer:
    """The peer of a TCP connection. It never equals a UDP peer: both may use the same port."""
    return _TCP + host, port


def surface_peer(number: int, host: str, kind: str = SURFACE) -> Peer:
    """The peer of a client inside this process. host: the machine that it serves; empty for this one. kind: what a
    client of this machine is, SURFACE, MIDI or DMX."""
    return (_SURFACE_AT + host if host else kind), number


def is_surface(peer: Peer) -> bool:
    """Whether the peer is a client inside this process."""
    return peer[0] in _INSIDE or peer[0].startswith(_SURFACE_AT)


def is_tcp(peer: Peer) -> bool:
    """Whether the peer is a TCP connection."""
    return peer[0].startswith(_TCP)


def shown(peer: Peer) -> str:
    """A peer as people read it: `10.0.0.5:9000`, `tcp 10.0.0.5:9000`, the page, MIDI, or the show."""
    host = host_of(peer)
    if is_surface(peer):
        return _INSIDE.get(host) or f"the page at {host}"
    return f"{'tcp ' if is_tcp(peer) else ''}{f'[{host}]' if ':' in host else host}:{peer[1]}"


def host_of(peer: Peer) -> str:
    """The host of a peer; SURFACE, MIDI or DMX for a client inside this process that serves this machine."""
    return peer[0].removeprefix(_TCP).removeprefix(_SURFACE_AT)


def machine_of(peer: Peer) -> str:
    """The address of the machine that a peer runs on or serves."""
    host = host_of(peer)
    return "127.0.0.1" if host in _INSIDE else host


def udp_target(peer: Peer, port: int) -> Peer:
    """The UDP port `port` at the host of a peer."""
    return host_of(peer), port
