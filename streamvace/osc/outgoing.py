"""What leaves: answers and feedback, over UDP, over TCP and to clients inside this process.

Anyone can write a stranger's address into a datagram, so over UDP little leaves for each host. A value that may not
leave yet is owed: the newest one of its address follows later, and nothing older. A reply that may not leave is dropped
and counted. Nothing is sent to the show's own port: it would answer itself. Belongs to the OSC thread.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from time import monotonic

import osc_schema
from osc_schema import Value
from streamvace.osc.codec import OscError, encode_message
from streamvace.osc.counters import Counters
from streamvace.osc.local_clients import LocalClients
from streamvace.osc.peer import Peer, is_surface, is_tcp
from streamvace.osc.tcp import TcpConnections
from streamvace.system.allowance import Allowances
from streamvace.system.network import is_this_machine

HOST_BYTES = 100_000
"""Bytes for each host, at once and a second: twenty answers to sync, or the status of ten subscribers."""
MOST_HOSTS = 64
"""Hosts with an allowance of their own; further ones share one."""
MOST_OWING = 64
"""Targets that values are owed to. The subscribers fit, with as many others that asked for all values."""
AGAIN_SECONDS = 0.02
"""Between two looks at what is owed."""


class Outgoing:
    """Sends to targets. tcp: the connections, once they are open."""

    def __init__(
        self,
        udp: socket.socket,
        local_clients: LocalClients,
        counters: Counters,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """udp: bound and non-blocking. clock: seconds."""
        self.tcp: TcpConnections | None = None
        self._udp = udp
        self._port: int = udp.getsockname()[1]
        self._local_clients = local_clients
        self._counters = counters
        self._clock = clock
        self._allowances = Allowances(HOST_BYTES, HOST_BYTES, MOST_HOSTS)
        self._owed: dict[Peer, dict[str, bytes]] = {}

    def is_ourselves(self, target: Peer) -> bool:
        """Whether this is the show's own port, at any address of this machine."""
        return target[1] == self._port and not is_surface(target) and not is_tcp(target) and is_this_machine(target[0])

    def value(self, target: Peer, address: str, value: Value) -> None:
        """Send the value of an address, at once or later."""
        self.item(target, address, address, *osc_schema.flat(value))

    def item(self, target: Peer, key: str, address: str, *arguments: object) -> None:
        """Send a message at once or later; a newer one with the same key replaces it."""
        packet = self._packet(target, address, arguments)
        if packet is None:
            return
        owed = self._owed.get(target)
        if owed is None and self._leave(target, packet):
            return
        if owed is None:
            if len(self._owed) >= MOST_OWING:
                self._counters.unsent += 1
                return
            owed = self._owed[target] = {}
        owed[key] = packet

    def reply(self, target: Peer, address: str, *arguments: object) -> None:
        """Send a message at once or never."""
        packet = self._packet(target, address, arguments)
        if packet is not None and not self._leave(target, packet):
            self._counters.unsent += 1

    def flush(self) -> None:
        """Send what is owed and may leave now. A target that still waits queues up behind the others of its host."""
        for target, owed in tuple(self._owed.items()):
            while owed:
                key = next(iter(owed))
                if not self._leave(target, owed[key]):
                    break
                del owed[key]
            del self._owed[target]
            if owed:
                self._owed[target] = owed

    def wait(self) -> float | None:
        """Seconds until `flush` has something to do; None when nothing is owed."""
        return AGAIN_SECONDS if self._owed else None

    def _packet(self, target: Peer, address: str, arguments: tuple[object, ...]) -> bytes | None:
        """The datagram for a UDP target. Everything else is sent at once, because it is limited elsewhere."""
        if self._local_clients.answer(target, address, arguments):
            return None
        try:
            packet = encode_message(address, *arguments)
        except OscError:
            self._counters.unsent += 1
            return None
        if is_tcp(target):
            if self.tcp is None or not self.tcp.send(target, packet):
                self._counters.unsent += 1
            return None
        if self.is_ourselves(target):
            self._counters.unsent += 1
            return None
        return packet

    def _leave(self, target: Peer, packet: bytes) -> bool:
        """Send a datagram if its host may get it now."""
        now = self._clock()
        if not self._allowances.of(target[0], now).take(now, len(packet)):
            return False
        try:
            self._udp.sendto(packet, target)
        except OSError:
            self._counters.unsent += 1
        return True
