"""The UDP socket of the OSC port."""

from __future__ import annotations

import socket

from streamvace.system.errors import UserError
from streamvace.system.network import port_refusal

RECEIVE_BUFFER = 4 << 20
"""Requested size of the system's receive buffer in bytes; the system may give less."""


def bind(host: str, port: int) -> socket.socket:
    """A bound, non-blocking UDP socket. Raises UserError with a fix."""
    if not 0 <= port <= 65535:
        raise UserError(f"OSC port {port}: a port is 1..65535, or 0 for any free one")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    except OSError as problem:
        raise UserError(f"OSC host {host!r} cannot be resolved ({problem}); 127.0.0.1 always works") from None
    bound = socket.socket(family, kind, protocol)
    try:
        # Without this, Windows lets a second process share the port and receive some of the datagrams.
        exclusive = getattr(socket, "SO_EXCLUSIVEADDRUSE", None)
        if exclusive is not None:
            bound.setsockopt(socket.SOL_SOCKET, exclusive, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        bound.setblocking(False)
        bound.bind(address)
    except OSError as problem:
        bound.close()
        raise port_refusal(problem, "OSC port", host, port, "--osc-port") from None
    return bound
