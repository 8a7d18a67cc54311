"""The OSC port: one thread with a UDP socket and TCP connections that never blocks on a client.

Each turn drains the sockets, applies what arrived as one version of the parameters, answers, and sends feedback. The
work of a turn is bounded, so a flood only costs its sender messages.
"""

from __future__ import annotations

import contextlib
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
from streamvace.control.refusals import Refusals
from streamvace.osc.codec import MAX_DATAGRAM, OscError
from streamvace.osc.complaints import Complaint
from streamvace.osc.counters import Counters
from streamvace.osc.feedback import StatusBoard, Subscribers
from streamvace.osc.inbox import Forbids, Hears, Inbox, Outcome, Request
from streamvace.osc.local_clients import LocalClients
from streamvace.osc.outgoing import Outgoing
from streamvace.osc.peer import Peer, host_of, shown, udp_target
from streamvace.osc.syncs import Syncs
from streamvace.osc.tcp import Ready, TcpConnections, listen
from streamvace.osc.udp import bind
from streamvace.system.clock import STALL_NS
from streamvace.system.errors import UserError
from streamvace.system.network import AllowList

DEFAULT_PORT = 7700
STATUS_SECONDS = 0.2
"""Seconds between updates of changed status outputs."""
MAX_TURN = 4096
"""Datagrams read in one turn."""
MAX_TURN_BYTES = 8 << 20
ERROR = "/streamvace/status/error"
REFUSED = "/streamvace/status/refused"

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
        refusals: Refusals | None = None,
        wall_clock: Callable[[], float] = time.time,
        commands: Commands | None = None,
        gate: BeatGate | None = None,
        look_ahead_s: Callable[[], float] = float,
        forbids: Forbids = lambda host, address, value: "",
        allow: AllowList | None = None,
        hears: Hears = lambda address, arguments: False,
    ) -> None:
        """Bind and start. Raises UserError if the port is taken or the host is not an address of this machine.

        tcp_port: None takes the number of the UDP port, or any free port if that is taken; 0 any free port; -1 none.
        reports: gets what is wrong with the messages that arrive; None only answers their senders. refusals: gets those
        that are about a parameter.
        wall_clock: seconds since 1970, compared with time tags. allow: whose messages are taken; None: everyone's. The
        others: see Inbox.
        """
        self._socket = bind(host, port)
        self.host, self.port = self._socket.getsockname()[:2]
        self._parameters = parameters
        self._allow = allow or AllowList()
        self._inbox = Inbox(
            parameters,
            wall_clock,
            commands=commands,
            gate=gate,
            look_ahead_s=look_ahead_s,
            forbids=forbids,
            hears=hears,
        )
        self._reports = reports
        self._refusals = refusals
        self._board = StatusBoard(parameters.schema)
        self._subscribers = Subscribers()
        self._syncs = Syncs()
        self.local_clients = LocalClients(self._wake)
        self._outgoing = Outgoing(self._socket, self.local_clients, self._inbox.counters)
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
        self._outgoing.tcp = self._tcp
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

    def waiting(self) -> dict[str, Value]:
        """What parameters are set to on the beat that changes wait for, by address. Any thread."""
        return self._inbox.waiting()

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
        return TcpConnections(listener, self._selector, self._inbox.counters, gone, self._note_tcp, self._may_connect)

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
        now = time.monotonic()
        waits = (self._inbox.seconds_to_next(), self._outgoing.wait(), self._syncs.wait(now))
        return min([max(0.0, self._next_status - now), *(wait for wait in waits if wait is not None)])

    def _turn(self, ready: Ready) -> None:
        now = time.monotonic()
        late = now - self._next_status
        if late * 1e9 > STALL_NS:
            self._subscribers.stood_still(late)
            if self._tcp is not None:
                self._tcp.stood_still(late)
        self._receive(now, ready)
        outcome = self._inbox.flush()
        self._report(outcome)
        for (peer, about), complaint in outcome.complaints.items():
            target = self._subscribers.target_of(peer)
            self._outgoing.reply(target, ERROR, complaint.line)
            # The writer gets the held value back: its fader no longer matches the parameter.
            held = self._parameters.snapshot().values.get(about)
            if held is not None:
                self._outgoing.value(target, about, held)
            self._bind(target, about, complaint)
        for request in outcome.requests:
            self._answer(request, now)
        self._inbox.monitor.end_turn()
        for target in self._syncs.take_due(now):
            self._sync(target)
        self._feed_back()
        if now >= self._next_status:
            self._next_status = now + STATUS_SECONDS
            if self._tcp is not None:
                self._tcp.look(now)
                for peer in self._tcp.peers():
                    self._subscribers.heard_from(peer, now)  # a connection counts as a sign of life
            self._subscribers.forget_silent(now)
            for address, value in self._board.take_news().items():
                for target in self._subscribers.targets():
                    self._outgoing.value(target, address, value)
        self._outgoing.flush()

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
            size += len(datagram)
            if self._allow.allows(sender[0]):
                arrived.append((datagram, sender[:2]))
            else:
                self._turn_away(sender[0])
        if self._tcp is not None:
            arrived += self._tcp.receive(ready, now)
        arrived += self.local_clients.take()
        self._count_dropped(self.local_clients.dropped)
        self._inbox.take_all(arrived)
        for peer in {peer for _, peer in arrived}:
            self._subscribers.heard_from(peer, now)

    def _count_dropped(self, dropped: int) -> None:
        counters = self._inbox.counters
        if more := dropped - counters.surfaces_dropped:
            counters.surfaces_dropped = dropped
            if self._reports is not None:
                line = f"the show is too busy: {more} messages of its page and controllers were dropped"
                self._reports.complain("OSC", line, "this machine")

    def _may_connect(self, host: str) -> bool:
        if not self._allow.allows(host):
            self._turn_away(host)
            return False
        return True

    def _turn_away(self, host: str) -> None:
        self._inbox.counters.not_allowed += 1
        if self._reports is not None:
            self._reports.note("OSC", f"{host} is not in --allow; its messages are dropped", host)

    def _report(self, outcome: Outcome) -> None:
        if self._reports is None:
            return
        for (peer, _), complaint in outcome.complaints.items():
            self._complain(peer, complaint)
        for (peer, kind), line in outcome.notes.items():
            self._reports.note(kind, f"{line} (from {shown(peer)})", host_of(peer))

    def _bind(self, target: Peer, about: str, complaint: Complaint) -> None:
        """Tell everyone to whom it matters which parameter a complaint is about: its sender, and subscribers."""
        if self._refusals is None:
            return
        refusal = self._refusals.note(about, complaint.asked, complaint.line, complaint.fix)
        if refusal is None:
            return
        self._board.publish(REFUSED, refusal.texts())
        if target not in self._subscribers.targets():
            self._outgoing.reply(target, REFUSED, *refusal.texts())

    def _note_tcp(self, host: str, line: str) -> None:
        if self._reports is not None:
            self._reports.note("OSC over TCP", line, host)

    def _complain(self, peer: Peer, complaint: Complaint) -> None:
        if self._reports is not None:
            line = f"{complaint.line} (from {shown(peer)})"
            self._reports.complain(f"OSC {complaint.fate}", line, host_of(peer))

    def _answer(self, request: Request, now: float) -> None:
        peer = request.peer
        name = request.address.removeprefix("/streamvace/")
        if name == "ping":
            self._outgoing.reply(peer, "/streamvace/pong", *request.arguments)
            return
        values = self.values()
        if request.address in values:
            self._outgoing.value(self._subscribers.target_of(peer), request.address, values[request.address])
            return
        try:
            self._serve(name, peer, _port(request), now)
        except OscError as refusal:
            line = f"{request.address}: {refusal}"
            self._inbox.counters.complaints += 1
            self._inbox.monitor.became(peer, request.address, line)
            self._complain(peer, Complaint("refused", line))
            self._outgoing.reply(peer, ERROR, line)

    def _serve(self, name: str, peer: Peer, port: int | None, now: float) -> None:
        """A service that sends to a port at the sender's own address. Raises OscError, why it is refused."""
        if name == "unsubscribe":
            self._subscribers.remove(peer, port)
            return
        target = self._subscribers.target_of(peer) if port is None else udp_target(peer, port)
        if self._outgoing.is_ourselves(target):
            raise OscError(f"port {target[1]} is the show's own; name the port where you listen")
        if name == "subscribe":
            refusal = self._subscribers.add(peer, port, now)
            if refusal:
                raise OscError(refusal)
        elif name == "sync":
            if self._syncs.ask(target, now):
                self._sync(target)
        elif name == "cue/list":
            for number, cue in enumerate(self.cues(), 1):
                self._outgoing.item(target, f"cue {number}", "/streamvace/cue/name", number, cue)

    def _sync(self, target: Peer) -> None:
        for address, value in osc_schema.carried(self.values()).items():
            self._outgoing.value(target, address, value)

    def _feed_back(self) -> None:
        """Send every change to everyone except its writer."""
        with self._lock:
            changed, self._changed = self._changed, {}
        values = self._parameters.snapshot().values
        for address, writer in changed.items():
            if address in values:  # not for triggers: a controller that echoes them would fire them forever
                for target in self._subscribers.targets(without=writer):
                    self._outgoing.value(target, address, values[address])

    def _on_change(self, snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        """On any writer's thread: note the changes and wake the server."""
        with self._lock:
            self._changed.update(changed)
        if threading.current_thread() is not self._thread:
            self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # a wake-up is pending already, or the server is closing
            self._wake_out.send(b"\0")


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
    raise OscError(f"takes a port 1..65535 or nothing, got {show(request.arguments)}")
