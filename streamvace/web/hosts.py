"""Which Host headers a local server answers: the guard against DNS rebinding.

A hostile site can point its own domain at 127.0.0.1, and its pages can then read our answers. Their requests carry that
domain in the Host header, so it is enough to answer only to names that cannot be someone else's domain.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from aiohttp import web

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def host_allowed(header: str, bound: str) -> bool:
    """Whether to answer a request. header: the Host header, with or without port. bound: the server's address.

    Loopback names and the bound address are always answered. A server open to the network also answers to plain IP
    addresses, which no domain can imitate, and to this machine's own names.
    """
    name = _without_port(header).lower()
    if name in LOOPBACK_NAMES or name == bound.lower():
        return True
    if bound.lower() in LOOPBACK_NAMES:
        return False
    own = socket.gethostname().lower()
    return _is_address(name) or name in (own, f"{own}.local")


def origin_host(origin: str) -> str:
    """Host and port that an Origin header names, in lower case; empty for one without, or that is malformed."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def origin_allowed(request: web.Request) -> bool:
    """Whether a request that changes something comes from our own page, or from no page at all.

    Browsers let a page of any site send such requests here, and name it in the Origin header.
    """
    origin = request.headers.get("Origin")
    return request.method in ("GET", "HEAD") or origin is None or origin_host(origin) == request.host.lower()


def _without_port(header: str) -> str:
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
