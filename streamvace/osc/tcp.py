"""OSC over TCP: the connections of the one OSC thread. Nothing in it waits for anyone.

Every socket is non-blocking and everything has a bound: how many connections there are, how much of an unfinished
packet is kept, how much is kept for a client that does not read. Who goes over a bound is disconnected and counted.
"""

from __future__ import annotations

import errno
import logging
import os
import selectors
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from streamvace.osc.coalesce import Arrival
from streamvace.osc.framing import Unframer, frame
from streamvace.osc.inbox import Counters
from streamvace.osc.peer import Peer, tcp_peer
from streamvace.system.errors import UserError

MAX_CONNECTIONS = 16
MAX_BACKLOG = 256 << 10
"""Bytes kept for a client that does not read; one more and it is dropped."""
READ_SIZE = 16 << 10
"""Bytes read from one connection in a turn: what is left waits for the next, so none holds up the others."""

Ready = Iterable[tuple[selectors.SelectorKey, int]]
"""What `select()` gives."""

log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Connection:
    socket: socket.socket
    peer: Peer
    unframer: Unframer = field(default_factory=Unframer)
    unsent: bytearray = field(default_factory=bytearray)


class TcpConnections:
    """A listening port and everyone connected to it. Belongs to the thread of the selector.

    port: where it really listens.
    """

    def __init__(
        self,
        listener: socket.socket,
        selector: selectors.BaseSelector,
        counters: Counters,
        on_gone: Callable[[Peer], None],
    ) -> None:
        """listener: from `listen`, and closed with the rest. on_gone: told of every connection that ends."""
        self._listener = listener
        self.port: int = self._listener.getsockname()[1]
        self._selector = selector
        self._counters = counters
        self._on_gone = on_gone
        self._connections: dict[Peer, _Connection] = {}
        selector.register(self._listener, selectors.EVENT_READ, self)

    def peers(self) -> list[Peer]:
        """Everyone connected."""
        return list(self._connections)

    def receive(self, ready: Ready) -> list[Arrival]:
        """Serve the sockets that are ready: accept, send what waited, and give the packets that have come."""
        arrived: list[Arrival] = []
        for key, mask in ready:
            connection = key.data
            if connection is self:
                self._accept()
            elif isinstance(connection, _Connection) and connection.peer in self._connections:
                if mask & selectors.EVENT_WRITE:
                    self._push(connection)
                if mask & selectors.EVENT_READ:
                    arrived += self._read(connection)
        return arrived

    def send(self, peer: Peer, packet: bytes) -> bool:
        """Send a packet, or keep it until the client reads on. False when that client is gone or was dropped."""
        connection = self._connections.get(peer)
        if connection is None or connection.unframer.framing is None:
            return False
        connection.unsent += frame(packet, connection.unframer.framing)
        self._push(connection)
        if len(connection.unsent) > MAX_BACKLOG:
            self._counters.tcp_slow += 1
            _note(self._counters.tcp_slow, f"{peer[0]}:{peer[1]} does not read what it asked for, disconnected")
            self._drop(connection)
        return peer in self._connections

    def close(self) -> None:
        """Disconnect everyone and free the port."""
        for connection in list(self._connections.values()):
            self._drop(connection)
        self._selector.unregister(self._listener)
        self._listener.close()

    def _accept(self) -> None:
        for _ in range(MAX_CONNECTIONS):  # a flood of newcomers gets its turns like everyone else
            try:
                accepted, address = self._listener.accept()
            except OSError:  # nobody left, or gone again already
                return
            peer = tcp_peer(address[0], address[1])
            if len(self._connections) >= MAX_CONNECTIONS:
                accepted.close()
                self._counters.tcp_refused += 1
                _note(self._counters.tcp_refused, f"{MAX_CONNECTIONS} are connected already, {address[0]} was refused")
                continue
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._connections[peer] = _Connection(accepted, peer)
            self._selector.register(accepted, selectors.EVENT_READ, self._connections[peer])

    def _read(self, connection: _Connection) -> list[Arrival]:
        try:
            data = connection.socket.recv(READ_SIZE)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        packets = connection.unframer.feed(data)
        if connection.unframer.problem:
            self._counters.tcp_unframed += 1
            _note(
                self._counters.tcp_unframed,
                f"{connection.peer[0]}:{connection.peer[1]} disconnected: {connection.unframer.problem}",
            )
        if not data or connection.unframer.problem:
            self._drop(connection)
        return [(packet, connection.peer) for packet in packets]

    def _push(self, connection: _Connection) -> None:
        """Send what the system takes, and ask to be told when it takes more."""
        try:
            while connection.unsent:
                sent = connection.socket.send(connection.unsent[:READ_SIZE])
                del connection.unsent[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(connection)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.unsent else 0)
        if self._selector.get_key(connection.socket).events != wanted:
            self._selector.modify(connection.socket, wanted, connection)

    def _drop(self, connection: _Connection) -> None:
        if self._connections.pop(connection.peer, None) is not None:
            self._selector.unregister(connection.socket)
            connection.socket.close()
            self._on_gone(connection.peer)


def listen(host: str, udp_port: int, port: int | None) -> socket.socket:
    """A listening socket on `port`; on the number of the UDP port, or any free one, when none was asked for.

    Raises UserError when the port that was asked for is taken.
    """
    if port is not None:
        return _listen(host, port)
    try:
        return _listen(host, udp_port)
    except UserError:
        # Nobody asked for this number: a show does not fail to start over it.
        return _listen(host, 0)


def _listen(host: str, port: int) -> socket.socket:
    """A listening, non-blocking socket; UserError with the mend when there is none to be had."""
    if not 0 <= port <= 65535:
        raise UserError(f"OSC over TCP: port {port}: a port is 1..65535, 0 takes any free one, -1 does without")
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            # Else the port stays taken for a minute after a show that had clients. On Windows this would share it.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", 0), 1)
        listener.setblocking(False)
        listener.bind(address)
        listener.listen(MAX_CONNECTIONS)
    except OSError as problem:
        listener.close()
        reason = "is in use by another program" if problem.errno == errno.EADDRINUSE else f"failed: {problem.strerror}"
        raise UserError(
            f"OSC over TCP: port {port} on {host} {reason}; 0 takes any free one, -1 does without"
        ) from None
    return listener


def _note(times: int, line: str) -> None:
    if times.bit_count() == 1:  # the 1st, 2nd, 4th, 8th ...: a flood must not fill the log
        log.warning("OSC over TCP: %s (%d so far)", line, times)
