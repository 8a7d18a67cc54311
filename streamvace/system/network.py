"""Hosts and ports: which hosts are this machine, which may talk to the show, and why a port cannot be bound."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterable

from streamvace.system.errors import UserError

_ELSEWHERE = ("192.0.2.1", 9)
"""An address for documentation. Choosing the way there sends nothing."""

_PAST_RESERVED = 1024
"""Distance to a port that is probably not reserved: POSIX reserves all below this number, Windows ranges of 100."""


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server on `host`, or be the client `host`."""
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def is_this_machine(host: str) -> bool:
    """Whether a client at this address is this machine: only its own addresses can be bound."""
    if is_loopback(host):
        return True
    address = _address(host)
    if address is None or address.is_unspecified or address.is_multicast:
        return False
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


def own_address() -> str:
    """The address under which other machines most likely reach this one; empty without a network."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(_ELSEWHERE)
            return str(probe.getsockname()[0])
    except OSError:
        return ""


def port_refusal(problem: OSError, what: str, host: str, port: int, option: str) -> UserError:
    """What to tell about a port that cannot be bound. what: its name in the message. option: the one that sets it."""
    if problem.errno in (errno.EADDRNOTAVAIL, None):  # None: asyncio from Python 3.13 on, for this reason only
        return UserError(f"{what} {port}: {host} is not an address of this machine; --host 127.0.0.1 always works")
    why, step = f"cannot be opened ({problem.strerror})", 1
    if problem.errno == errno.EADDRINUSE:
        why = "is in use by another program"
    elif problem.errno == errno.EACCES:
        why, step = (
            "is reserved by the system (Windows reserves ranges for Hyper-V, others all below 1024)",
            _PAST_RESERVED,
        )
    other = port + step if port + step <= 65535 else port - step
    return UserError(f"{what} {port} on {host} {why}; try {option} {other}, or {option} 0 for any free port")


class AllowList:
    """The hosts that may talk to the show: this machine, and those of the given networks; without any, all.

    It keeps strangers out who cannot forge their address. A UDP sender can.
    """

    def __init__(self, networks: Iterable[str] = ()) -> None:
        """networks: `192.168.1.0/24` or single addresses. Raises UserError for anything else."""
        self._networks = tuple(_network(text) for text in networks)

    def allows(self, host: str) -> bool:
        """host: the address of a peer, as a socket gives it."""
        if not self._networks or is_loopback(host):
            return True
        address = _address(host)
        return address is not None and any(address in network for network in self._networks)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise UserError(
            f"--allow {text!r} is no address or network ({error}); write 192.168.1.7 or 192.168.1.0/24"
        ) from None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """A host as an address, None for a name. An IPv4 client of an IPv6 socket is its IPv4 address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return address if mapped is None else mapped
