"""Announces the OSCQuery server by mDNS (Bonjour) while it runs.

A server on 127.0.0.1 is announced on this machine only: the network cannot reach it and should not hear of it.
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
"""How long the end of a show waits for the announcement to be withdrawn."""

log = logging.getLogger(__name__)


def host_name(port: int) -> str:
    """The host name in the announcement. The machine's own name belongs to its mDNS service, which would rename the
    machine if it saw other addresses for that name."""
    return f"streamvace-{port}.local"


class Advertisement:
    """Announced by `start`, withdrawn by `stop`, on one event loop. Neither raises: a show can do without it."""

    def __init__(self, name: str, host: str, port: int) -> None:
        self._name = name
        self._host = host
        self._port = port
        self._zeroconf: AsyncZeroconf | None = None

    async def start(self) -> None:
        """Announce. Takes about a second: the name is checked, and a number is appended if it is taken."""
        try:
            # Imported here because the import is slow and not every show needs it.
            from zeroconf.asyncio import AsyncZeroconf

            info, interfaces = _describe(self._name, self._host, self._port)
            self._zeroconf = AsyncZeroconf(interfaces=interfaces)
            await (await self._zeroconf.async_register_service(info, allow_name_change=True))
        except Exception as problem:  # noqa: BLE001 - networks fail in many ways, and the show does not need this
            reason = " ".join(str(problem).split()) or type(problem).__name__
            log.warning("OSCQuery is not announced (%s); it still answers at port %d", reason, self._port)
            await self.stop()

    async def stop(self) -> None:
        """Withdraw the announcement, if there is one."""
        zeroconf, self._zeroconf = self._zeroconf, None
        if zeroconf is None:
            return
        try:
            await asyncio.wait_for(zeroconf.async_unregister_all_services(), WITHDRAW_SECONDS)
            await asyncio.wait_for(zeroconf.async_close(), WITHDRAW_SECONDS)
        except Exception as problem:  # noqa: BLE001 - as above; an announcement that is not withdrawn expires
            log.debug("OSCQuery's announcement was not withdrawn: %r", problem)


def _describe(name: str, host: str, port: int) -> tuple[ServiceInfo, list[str]]:
    """The service entry, and the addresses of the interfaces to announce it on."""
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
    """The IPv4 addresses at which a server on `host` can be reached. Raises OSError if there are none."""
    if host not in ("0.0.0.0", ""):
        return [socket.gethostbyname(host)]
    import ifaddr

    own = [str(ip.ip) for adapter in ifaddr.get_adapters() for ip in adapter.ips if ip.is_IPv4]
    outer = [address for address in own if not ipaddress.ip_address(address).is_loopback]
    if not outer:
        raise OSError("no network interface")
    return outer
