"""The OSC port: one thread with a UDP socket and TCP connections that never blocks on a client.

Each turn drains the sockets, applies what arrived as one version of the parameters, answers, and sends feedback. The
work of a turn is bounded, so a flood only costs its sender messages.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol

import osc_schema
from osc_schema import Value
from streamvace.control.beats import BeatGate
from streamvace.control.coercion import show
from streamvace.control.commands import Commands
from streamvace.control.parameters import Parameters, Snapshot
from streamvace.osc.codec import MAX_DATAGRAM, OscError, encode_message
from streamvace.osc.counters import Counters
from streamvace.osc.feedback import StatusBoard, Subscribers
from streamvace.osc.inbox import Inbox, Outcome, Request
from streamvace.osc.local_clients import LocalClients
from streamvace.osc.peer import Peer, host_of, is_tcp, shown, udp_target
from streamvace.osc.tcp import Ready, TcpConnections, listen
from streamvace.system.clock import STALL_NS
from streamvace.system.errors import UserError

DEFAULT_PORT = 7700
STATUS_SECONDS = 0.2
"""Seconds between updates of changed status outputs."""
RECEIVE_BUFFER = 4 << 20
"""Requested size of the system's receive buffer in bytes; the system may give less."""
MAX_TURN = 4096
"""Datagrams read in one turn."""
MAX_TURN_BYTES = 8 << 20
ERROR = "/streamvace/status/error"

log = logging.getLogger(__name__)


class Reports(Protocol):
    """The part of `telemetry.reporter.Reporter` in use. Neither call waits for a terminal."""

    def complain(self, kind: str, line: str, host: str, /) -> None: ...

    def note(self, kind: str, line: str, host: str, /) -> None: ...


class OscServer:
    """Serves `parameters` from construction until `close()`. Usable as a context manager.

    host, port: the bound address; the real port if port 0 was requested.
    tcp_port: the bound TCP port; None without OSC over TCP.
    local_clients: the way in for clients inside this process.
    """

    def __init__(
        self,
        parameters: Parameters,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        *,
        tcp_port: int | None = None,
        reports: Reports | None = None,
        wall_clock: Callable[[], float] = time.time,
        commands: Commands | None = None,
        gate: BeatGate | None = None,
        look_ahead_s: Callable[[], float] = float,
    ) -> None:
        """Bind and start. Raises UserError if the port is taken or the host is not an address of this machine.

        tcp_port: None takes the number of the UDP port, or any free port if that is taken; 0 any free port; -1 none.
        reports: gets what is wrong with the messages that arrive; None only answers their senders.
        wall_clock: seconds since 1970, compared with time tags. commands, gate, look_ahead_s: see Inbox.
        """
        self._socket = _bind(host, port)
        self.host, self.port = self._socket.getsockname()[:2]
        self._parameters = parameters
        self._inbox = Inbox(parameters, wall_clock, commands=commands, gate=gate, look_ahead_s=look_ahead_s)
        self._reports = reports
        self._board = StatusBoard(parameters.schema)
        self._subscribers = Subscribers()
        self.local_clients = LocalClients(self._wake)
        self._lock = threading.Lock()
        self._changed: dict[str, str] = {}  # address -> writer, for feedback
        self._next_status = time.monotonic()
        self._closing = threading.Event()
        # A socket pair wakes the thread: on Windows, select() accepts only sockets.
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._selector.register(self._wake_in, selectors.EVENT_READ)
        self._tcp: TcpConnections | None = None
        try:
            self._tcp = self._open_tcp(tcp_port)
        except UserError:
            self._close_sockets()
            raise
        self.tcp_port = None if self._tcp is None else self._tcp.port
        self._stop_listening = parameters.listen(self._on_change)
        self._thread = threading.Thread(target=self._run, name="osc", daemon=True)
        self._thread.start()

    def __enter__(self) -> OscServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def publish(self, address: str, value: Value) -> None:
        """Set a status output for subscribers and queries. Any thread; never blocks; sent every STATUS_SECONDS.

        Raises KeyError for an address that is not an output, TypeError for a value of the wrong type.
        """
        self._board.publish(address, value)

    def values(self) -> dict[str, Value]:
        """The current value of every parameter and output: a copy."""
        return {**self._parameters.snapshot().values, **self._board.values()}

    def cues(self) -> tuple[str, ...]:
        """The names of all cues, in order."""
        return self._inbox.commands.cues.names

    def counters(self) -> Counters:
        """The counters so far: a copy."""
        return replace(self._inbox.counters)

    def arrivals(self, since: int = 0) -> list[dict[str, object]]:
        """The last messages in, newer than number `since`, oldest first: see `Received.row`. Any thread."""
        return self._inbox.monitor.since(since)

    def close(self) -> None:
        """Stop the thread and free the port. Idempotent; any thread except the server's own."""
        if self._closing.is_set():
            return
        self._stop_listening()
        self._closing.set()
        self._wake()
        self._thread.join()
        if self._tcp is not None:
            self._tcp.close()
        self._close_sockets()

    def _close_sockets(self) -> None:
        self._selector.close()
        for each in (self._socket, self._wake_in, self._wake_out):
            each.close()

    def _open_tcp(self, port: int | None) -> TcpConnections | None:
        if port is not None and port < 0:
            return None
        listener = listen(self.host, self.port, port)
        gone = partial(self._subscribers.remove, port=None)
        return TcpConnections(listener, self._selector, self._inbox.counters, gone)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._turn(self._selector.select(self._timeout()))
            except Exception:
                # No known error gets here. If one does, OSC must keep running and the error must be logged.
                self._inbox.counters.faults += 1
                log.exception("the OSC thread caught an error and continues")
                self._closing.wait(0.05)

    def _timeout(self) -> float:
        """Seconds until there is work even if nothing arrives."""
        waits = [max(0.0, self._next_status - time.monotonic()), self._inbox.seconds_to_next()]
        return min(wait for wait in waits if wait is not None)

    def _turn(self, ready: Ready) -> None:
        now = time.monotonic()
        late = now - self._next_status
        if late * 1e9 > STALL_NS:
            self._subscribers.stood_still(late)
        self._receive(now, ready)
        outcome = self._inbox.flush()
        self._report(outcome)
        for (peer, about), complaint in outcome.complaints.items():
            target = self._subscribers.target_of(peer)
            self._send(target, ERROR, complaint.line)
            # The writer gets the held value back: its fader no longer matches the parameter.
            held = self._parameters.snapshot().values.get(about)
            if held is not None:
                self._send_value(target, about, held)
        for request in outcome.requests:
            self._answer(request, now)
        self._feed_back()
        if now >= self._next_status:
            self._next_status = now + STATUS_SECONDS
            for peer in self._tcp.peers() if self._tcp is not None else ():
                self._subscribers.heard_from(peer, now)  # a connection counts as a sign of life
            self._subscribers.forget_silent(now)
            for address, value in self._board.take_news().items():
                for target in self._subscribers.targets():
                    self._send_value(target, address, value)

    def _receive(self, now: float, ready: Ready) -> None:
        """Take what has arrived: empty the system's buffer first, because a burst fills it quickly, then decode."""
        _drain(self._wake_in)
        arrived: list[tuple[bytes, Peer]] = []
        size = 0
        while len(arrived) < MAX_TURN and size < MAX_TURN_BYTES:
            try:
                datagram, sender = self._socket.recvfrom(MAX_DATAGRAM)
            except BlockingIOError:
                break
            except ConnectionError:
                # Windows reports here that an earlier reply had no receiver. The socket still works.
                self._inbox.counters.unsent += 1
                break
            arrived.append((datagram, sender[:2]))
            size += len(datagram)
        if self._tcp is not None:
            arrived += self._tcp.receive(ready)
        arrived += self.local_clients.take()
        self._inbox.take_all(arrived)
        for peer in {peer for _, peer in arrived}:
            self._subscribers.heard_from(peer, now)

    def _report(self, outcome: Outcome) -> None:
        if self._reports is None:
            return
        for (peer, _), (fate, line) in outcome.complaints.items():
            self._reports.complain(f"OSC {fate}", f"{line} (from {shown(peer)})", host_of(peer))
        for (peer, kind), line in outcome.notes.items():
            self._reports.note(kind, f"{line} (from {shown(peer)})", host_of(peer))

    def _answer(self, request: Request, now: float) -> None:
        peer = request.peer
        name = request.address.removeprefix("/streamvace/")
        if name == "ping":
            self._send(peer, "/streamvace/pong", *request.arguments)
            return
        values = self.values()
        if request.address in values:
            self._send_value(self._subscribers.target_of(peer), request.address, values[request.address])
            return
        try:
            port = _port(request)
        except OscError as problem:
            self._send(peer, ERROR, str(problem))
            return
        if name == "subscribe":
            refusal = self._subscribers.add(peer, port, now)
            if refusal:
                self._send(peer, ERROR, refusal)
        elif name == "unsubscribe":
            self._subscribers.remove(peer, port)
        target = self._subscribers.target_of(peer) if port is None else udp_target(peer, port)
        if name == "sync":
            for address, value in values.items():
                self._send_value(target, address, value)
        elif name == "cue/list":
            for number, cue in enumerate(self.cues(), 1):
                self._send(target, "/streamvace/cue/name", number, cue)

    def _feed_back(self) -> None:
        """Send every change to everyone except its writer."""
        with self._lock:
            changed, self._changed = self._changed, {}
        values = self._parameters.snapshot().values
        for address, writer in changed.items():
            if address in values:  # not for triggers: a controller that echoes them would fire them forever
                for target in self._subscribers.targets(without=writer):
                    self._send_value(target, address, values[address])

    def _on_change(self, snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        """On any writer's thread: note the changes and wake the server."""
        with self._lock:
            self._changed.update(changed)
        if threading.current_thread() is not self._thread:
            self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # a wake-up is pending already, or the server is closing
            self._wake_out.send(b"\0")

    def _send_value(self, target: Peer, address: str, value: Value) -> None:
        self._send(target, address, *osc_schema.flat(value))

    def _send(self, target: Peer, address: str, *arguments: object) -> None:
        if self.local_clients.answer(target, address, arguments):
            return
        try:
            packet = encode_message(address, *arguments)
            if not is_tcp(target):
                self._socket.sendto(packet, target)
            elif self._tcp is None or not self._tcp.send(target, packet):
                self._inbox.counters.unsent += 1
        except (OSError, OscError):
            self._inbox.counters.unsent += 1


def _bind(host: str, port: int) -> socket.socket:
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
        if problem.errno == errno.EADDRINUSE:
            raise UserError(
                f"OSC port {port} on {host} is in use by another program; quit it, or choose another port "
                f"(--osc-port {port + 1 if port < 65535 else 0}; 0 takes any free port)"
            ) from None
        raise UserError(f"OSC port {port} on {host} cannot be opened ({problem.strerror}); try 127.0.0.1") from None
    return bound


def _drain(wake: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while wake.recv(4096):
            pass


def _port(request: Request) -> int | None:
    """The port that a request names, or None. Raises OscError for anything else."""
    if not request.arguments:
        return None
    port = request.arguments[0]
    single = len(request.arguments) == 1
    if single and isinstance(port, (int, float)) and not isinstance(port, bool) and port in range(1, 65536):
        return int(port)
    raise OscError(f"{request.address}: takes a port 1..65535 or nothing, got {show(request.arguments)}")
