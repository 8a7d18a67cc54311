"""OSC over TCP: the connections of the OSC thread. Every socket is non-blocking.

The number of connections, the size and the time of an unfinished packet, and the backlog of a client that does not read
are limited. A client that exceeds a limit is disconnected, counted and reported.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from streamvace.osc.coalesce import Arrival
from streamvace.osc.counters import Counters
from streamvace.osc.framing import Unframer, frame
from streamvace.osc.peer import Peer, host_of, shown, tcp_peer
from streamvace.osc.seats import Seats
from streamvace.system.connections import MOST_CONNECTIONS
from streamvace.system.errors import UserError
from streamvace.system.network import port_refusal

MOST_ACCEPTED = 16
"""Connections accepted in a turn: a flood of them must not keep it busy."""
PAUSE_SECONDS = 1.0
"""Without accepting, after the system had no descriptor left: the port stays readable, and the thread would spin."""
_NO_DESCRIPTOR = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
MAX_BACKLOG = 256 << 10
"""Bytes kept for a client that does not read; beyond that it is disconnected."""
READ_SIZE = 16 << 10
"""Bytes read from one connection in a turn; the rest waits for the next turn, so no connection delays the others."""

Ready = Iterable[tuple[selectors.SelectorKey, int]]
"""The result of `select()`."""


@dataclass(eq=False)
class _Connection:
    socket: socket.socket
    peer: Peer
    unframer: Unframer = field(default_factory=Unframer)
    unsent: bytearray = field(default_factory=bytearray)


class TcpConnections:
    """A listening port and its connections. Belongs to the thread of the selector.

    port: the bound port.
    """

    def __init__(
        self,
        listener: socket.socket,
        selector: selectors.BaseSelector,
        counters: Counters,
        on_gone: Callable[[Peer], None],
        note: Callable[[str, str], None] = lambda host, line: None,
        may_connect: Callable[[str], bool] = lambda host: True,
    ) -> None:
        """listener: from `listen`; closed by `close`. on_gone: called for every connection that ends.

        note: called with a host and a line for every connection that is ended. may_connect: asked for every host that
        connects.
        """
        self._listener = listener
        self.port: int = self._listener.getsockname()[1]
        self._selector = selector
        self._counters = counters
        self._on_gone = on_gone
        self._note = note
        self._seats = Seats()
        self._paused_until: float | None = None
        self._may_connect = may_connect
        self._connections: dict[Peer, _Connection] = {}
        selector.register(self._listener, selectors.EVENT_READ, self)

    def peers(self) -> list[Peer]:
        """The connected peers."""
        return list(self._connections)

    def stood_still(self, seconds: float) -> None:
        """This process did not run for so long."""
        self._seats.stood_still(seconds)

    def look(self, now: float) -> None:
        """Called every few moments: end what is overdue, and accept again after a pause. now: seconds."""
        for peer, why in self._seats.overdue(now).items():
            self._counters.tcp_overdue += 1
            self._end(peer, why)
        if self._paused_until is not None and now >= self._paused_until:
            self._paused_until = None
            self._selector.register(self._listener, selectors.EVENT_READ, self)

    def receive(self, ready: Ready, now: float) -> list[Arrival]:
        """Serve the sockets that are ready: accept, send the backlog, and return the packets that have arrived."""
        arrived: list[Arrival] = []
        for key, mask in ready:
            connection = key.data
            if connection is self:
                self._accept(now)
            elif isinstance(connection, _Connection) and connection.peer in self._connections:
                if mask & selectors.EVENT_WRITE:
                    self._push(connection)
                if mask & selectors.EVENT_READ:
                    arrived += self._read(connection, now)
        return arrived

    def send(self, peer: Peer, packet: bytes) -> bool:
        """Send a packet, or keep it until the client reads. False if the client is gone or was disconnected."""
        connection = self._connections.get(peer)
        if connection is None or connection.unframer.framing is None:
            return False
        connection.unsent += frame(packet, connection.unframer.framing)
        self._push(connection)
        if len(connection.unsent) > MAX_BACKLOG:
            self._counters.tcp_slow += 1
            self._end(peer, "it does not read")
        return peer in self._connections

    def close(self) -> None:
        """Disconnect everyone and free the port."""
        for connection in list(self._connections.values()):
            self._drop(connection)
        if self._paused_until is None:
            self._selector.unregister(self._listener)
        self._listener.close()

    def _accept(self, now: float) -> None:
        for _ in range(MOST_ACCEPTED):
            try:
                accepted, address = self._listener.accept()
            except OSError as problem:  # none left, or closed again
                if problem.errno in _NO_DESCRIPTOR:
                    self._selector.unregister(self._listener)
                    self._paused_until = now + PAUSE_SECONDS
                    self._note("", f"no connection can be accepted ({problem.strerror}); trying again")
                return
            if not self._may_connect(address[0]):
                accepted.close()
                continue
            peer = tcp_peer(address[0], address[1])
            displaced = self._seats.take(peer, now)
            if displaced is not None:
                self._counters.tcp_displaced += 1
                self._end(displaced, "it was silent, and there are too many connections")
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._connections[peer] = _Connection(accepted, peer)
            self._selector.register(accepted, selectors.EVENT_READ, self._connections[peer])

    def _read(self, connection: _Connection, now: float) -> list[Arrival]:
        try:
            data = connection.socket.recv(READ_SIZE)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        packets = connection.unframer.feed(data)
        if connection.unframer.problem:
            self._counters.tcp_unframed += 1
            self._end(connection.peer, connection.unframer.problem)
        elif not data:
            self._drop(connection)
        else:
            self._seats.heard(connection.peer, now, packets=len(packets), unfinished=connection.unframer.unfinished)
        return [(packet, connection.peer) for packet in packets]

    def _push(self, connection: _Connection) -> None:
        """Send what the system accepts, and select for writing while there is more."""
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

    def _end(self, peer: Peer, why: str) -> None:
        """Disconnect a client, and say why."""
        self._drop(self._connections[peer])
        self._note(host_of(peer), f"{shown(peer)} disconnected: {why}")

    def _drop(self, connection: _Connection) -> None:
        self._seats.leave(connection.peer)
        if self._connections.pop(connection.peer, None) is not None:
            self._selector.unregister(connection.socket)
            connection.socket.close()
            self._on_gone(connection.peer)


def listen(host: str, udp_port: int, port: int | None) -> socket.socket:
    """A listening socket on `port`; if that is None, on the number of the UDP port or else any free port.

    Raises UserError if the requested port is taken.
    """
    if port is not None:
        return _listen(host, port)
    try:
        return _listen(host, udp_port)
    except UserError:
        # Nobody requested this number, so the show starts without it.
        return _listen(host, 0)


def _listen(host: str, port: int) -> socket.socket:
    """A listening, non-blocking socket. Raises UserError with a fix."""
    if not 0 <= port <= 65535:
        raise UserError(f"OSC over TCP: port {port}: a port is 1..65535; 0 takes any free port, -1 disables it")
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            # Without this the port stays taken for a minute after a show. On Windows it would share the port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", 0), 1)
        listener.setblocking(False)
        listener.bind(address)
        listener.listen(MOST_CONNECTIONS)
    except OSError as problem:
        listener.close()
        raise port_refusal(problem, "OSC over TCP: port", host, port, "--osc-tcp-port") from None
    return listener
