"""Limits on the connections of an asyncio TCP server: how many, how many from one host, how long without a request.

Anyone who reaches a port can connect and say nothing. Without limits that takes every file descriptor of the show.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from streamvace.system.network import AllowList

MOST_CONNECTIONS = 128
"""Of one server. OSC over TCP, OSCQuery and the web page at their limit, and the show itself, fit into 1,024
descriptors, a usual limit."""
MOST_PER_HOST = 48
"""Of one host, so that one cannot take every place. Twelve pages in one browser hold twelve WebSockets, and up to six
more connections for their files."""
IDLE_S = 10.0
"""How long a connection may be open without a complete request: browsers open them ahead and use them at once."""

Report = Callable[[str, str, str], None]
"""(kind, line, host): see `telemetry.reporter.Reporter.note`."""

Key = TypeVar("Key")


def rivals_of(host: str, hosts: Mapping[Key, str], most: int, most_per_host: int) -> list[Key]:
    """The connections of which one must go before another one of this host is taken in; none while there is room.

    hosts: of every open connection, oldest first; the order is kept. A host at its own limit makes room itself.
    """
    neighbours = [key for key, its in hosts.items() if its == host]
    if len(neighbours) >= most_per_host:
        return neighbours
    return list(hosts) if len(hosts) >= most else []


def unreported(kind: str, line: str, host: str) -> None:
    """For servers whose clients nobody watches."""


class Connections:
    """The connections of one server. Belongs to its event loop.

    When a limit is reached, the oldest connection without a request makes room, so silent ones keep nobody out. If all
    are in use, the new one is closed.
    """

    def __init__(
        self,
        server: str,
        report: Report,
        allow: AllowList,
        most: int = MOST_CONNECTIONS,
        most_per_host: int = MOST_PER_HOST,
        idle_s: float = IDLE_S,
    ) -> None:
        """server: its name in reports."""
        self.refused = 0
        """Connections closed because of a limit, new ones and those that made room."""
        self._kind = f"{server} connections"
        self._report = report
        self._allow = allow
        self._most = most
        self._most_per_host = most_per_host
        self._idle_s = idle_s
        self._open: dict[asyncio.BaseTransport, _Connection] = {}

    def __len__(self) -> int:
        """The number of open connections."""
        return len(self._open)

    def limited(self, make: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """A protocol factory for `create_server`. make: the server's own."""
        return lambda: _Connection(make(), self)

    @contextmanager
    def serving(self, transport: asyncio.BaseTransport | None) -> Iterator[None]:
        """While a request is answered, its connection is in use. transport: None if the client is gone."""
        connection = None if transport is None else self._open.get(transport)
        if connection is None:
            yield
            return
        connection.use()
        try:
            yield
        finally:
            connection.rest(self._idle_s)

    def admit(self, connection: _Connection) -> bool:
        """Take a new connection in, or close it."""
        if not self._allow.allows(connection.host):
            self.refused += 1
            self._report(self._kind, f"{connection.host} is not in --allow; its connection was closed", connection.host)
            return False
        hosts = {each: each.host for each in self._open.values()}
        if rivals := rivals_of(connection.host, hosts, self._most, self._most_per_host):
            idle = next((each for each in rivals if not each.in_use), None)
            self.refused += 1
            own = all(each.host == connection.host for each in rivals)
            open_now = f"{connection.host} has {len(rivals)} open" if own else f"{len(rivals)} are open"
            self._report(self._kind, f"{open_now}, the maximum; one was closed", connection.host)
            if idle is None:
                return False
            self.forget(idle)
            idle.transport.abort()
        self._open[connection.transport] = connection
        connection.rest(self._idle_s)
        return True

    def forget(self, connection: _Connection) -> None:
        """The connection has ended."""
        connection.use()
        self._open.pop(connection.transport, None)


class _Connection(asyncio.Protocol):
    """Stands between a transport and the server's protocol."""

    transport: asyncio.Transport

    def __init__(self, inner: asyncio.Protocol, connections: Connections) -> None:
        self.host = ""
        self._inner = inner
        self._connections = connections
        self._admitted = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def in_use(self) -> bool:
        """Whether a request is being answered."""
        return self._timer is None

    def use(self) -> None:
        """A request has arrived."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def rest(self, seconds: float) -> None:
        """The request is answered: the connection ends after these seconds, unless another arrives."""
        if not self.transport.is_closing():
            self._timer = asyncio.get_running_loop().call_later(seconds, self.transport.abort)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self.host = str(peer[0]) if peer else ""
        self._admitted = self._connections.admit(self)
        if self._admitted:
            self._inner.connection_made(transport)
        else:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        if self._admitted:
            self._connections.forget(self)
            self._inner.connection_lost(error)
