"""Who is at the other end."""

from __future__ import annotations

Peer = tuple[str, int]
"""Host and port that a datagram came from, or that one goes to."""


def writer_name(peer: Peer) -> str:
    """How a sender is known to the parameters."""
    return f"osc:{peer[0]}:{peer[1]}"
