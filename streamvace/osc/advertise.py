"""Being found: the OSCQuery server's entry in the network's service list (mDNS, Bonjour), while it runs.

A server on 127.0.0.1 is announced to this machine only. To announce it to the network would promise others something
that they cannot reach, and tell strangers about a show that keeps to itself.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zeroconf import ServiceInfo
    from zeroconf.asyncio import AsyncZeroconf

SERVICE = "_oscjson._tcp.local."
WITHDRAW_SECONDS = 1.0
"""How long the end of a show waits for the network to take the goodbye."""

log = logging.getLogger(__name__)


def is_loopback(host: str) -> bool:
    """Whether a server on `host` can be reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def host_name(port: int) -> str:
    """The name that the entry points to, ours alone: the machine's own name is its own service's to announce, and a
    second opinion on what addresses it has would make that one change the name."""
    return f"streamvace-{port}.local"


class Advertisement:
    """Announced by `start`, withdrawn by `stop`; both on one event loop. Neither raises: a show goes on unfound."""

    def __init__(self, name: str, host: str, port: int) -> None:
        self._name = name
        self._host = host
        self._port = port
        self._zeroconf: AsyncZeroconf | None = None

    async def start(self) -> None:
        """Takes about a second, for the name is checked to be nobody else's; another number is appended if it is."""
        try:
            # Only now: the package costs more to import than everything else here, and not every show wants it.
            from zeroconf.asyncio import AsyncZeroconf

            info, interfaces = _describe(self._name, self._host, self._port)
            self._zeroconf = AsyncZeroconf(interfaces=interfaces)
            await (await self._zeroconf.async_register_service(info, allow_name_change=True))
        except Exception as problem:  # noqa: BLE001 - whatever a network or its absence brings; the show does not need it
            reason = " ".join(str(problem).split()) or type(problem).__name__
            log.warning("OSCQuery is not announced (%s); it answers all the same at port %d", reason, self._port)
            await self.stop()

    async def stop(self) -> None:
        zeroconf, self._zeroconf = self._zeroconf, None
        if zeroconf is None:
            return
        try:
            await asyncio.wait_for(zeroconf.async_unregister_all_services(), WITHDRAW_SECONDS)
            await asyncio.wait_for(zeroconf.async_close(), WITHDRAW_SECONDS)
        except Exception as problem:  # noqa: BLE001 - as above; entries that are not withdrawn expire by themselves
            log.debug("OSCQuery's announcement was not withdrawn: %r", problem)


def _describe(name: str, host: str, port: int) -> tuple[ServiceInfo, list[str]]:
    """The entry, and the addresses of the interfaces that it is announced on."""
    from zeroconf import ServiceInfo

    addresses = _addresses(host)
    info = ServiceInfo(
        SERVICE,
        f"{name}.{SERVICE}",
        port=port,
        addresses=[socket.inet_aton(address) for address in addresses],
        server=f"{host_name(port)}.",
        properties={"txtvers": "1"},
    )
    return info, addresses


def _addresses(host: str) -> list[str]:
    """The IPv4 addresses of this machine that reach a server on `host`. Raises OSError when there are none."""
    if host not in ("0.0.0.0", ""):
        return [socket.gethostbyname(host)]
    import ifaddr

    own = [str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]
    outer = [address for address in own if not ipaddress.ip_address(address).is_loopback]
    if not outer:
        raise OSError("no network interface")
    return outer
