"""OSC over TCP: the same parameters, answers on the same connection, and nobody who can hold up the others."""

from __future__ import annotations

import errno
import selectors
import socket
import struct
from collections.abc import Callable, Iterator

import pytest
from pythonosc.tcp_client import SimpleTCPClient

from streamvace.control.parameters import Parameters
from streamvace.osc.codec import Message, decode, encode_message
from streamvace.osc.framing import Framing, Unframer, frame
from streamvace.osc.inbox import Counters
from streamvace.osc.seats import MUTE_SECONDS
from streamvace.osc.server import ERROR, OscServer
from streamvace.osc.tcp import MAX_BACKLOG, MOST_ACCEPTED, PAUSE_SECONDS, TcpConnections, listen
from streamvace.system.connections import MOST_CONNECTIONS, MOST_PER_HOST
from streamvace.system.errors import UserError
from tests.osc.conftest import PATIENCE, Client
from tests.osc.packets import SCALE, hostile

SEED = "/streamvace/seed"
PROMPT = "/streamvace/prompt"


class TcpClient:
    """One connection, either framing."""

    def __init__(self, server: OscServer, framing: Framing = Framing.LENGTH) -> None:
        assert server.tcp_port is not None
        self.socket = socket.create_connection(("127.0.0.1", server.tcp_port), PATIENCE)
        self._framing = framing
        self._unframer = Unframer()
        self._received: list[bytes] = []

    def raw(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send(self, address: str, *arguments: object) -> None:
        self.raw(frame(encode_message(address, *arguments), self._framing))

    def receive(self) -> Message:
        while not self._received:
            data = self.socket.recv(65536)
            assert data, "the server has disconnected"
            self._received += self._unframer.feed(data)
        assert self._unframer.framing is self._framing, "answers come in the framing of the questions"
        [message] = decode(self._received.pop(0))
        return message

    def ping(self) -> list[Message]:
        """Wait until everything sent so far is applied; returns what was received meanwhile."""
        self.send("/streamvace/ping", "tcp")
        before = []
        while (message := self.receive()) != Message("/streamvace/pong", ("tcp",)):
            before.append(message)
        return before

    def is_disconnected(self) -> bool:
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True


@pytest.fixture
def dial(server: OscServer) -> Iterator[Callable[..., TcpClient]]:
    clients: list[TcpClient] = []

    def one_more(framing: Framing = Framing.LENGTH) -> TcpClient:
        clients.append(TcpClient(server, framing))
        return clients[-1]

    yield one_more
    for each in clients:
        each.socket.close()


@pytest.mark.parametrize("framing", Framing)
def test_values_are_set_and_asked_for_in_either_framing(
    dial: Callable[..., TcpClient], parameters: Parameters, framing: Framing
) -> None:
    client = dial(framing)
    client.send(PROMPT, "a blue cube \xc0\xdb")
    client.send(SCALE, 0.5)
    assert client.ping() == []
    assert (parameters.snapshot()[PROMPT], parameters.snapshot()[SCALE]) == ("a blue cube \xc0\xdb", 0.5)
    client.send(SCALE, "?")
    assert client.receive() == Message(SCALE, (0.5,))
    client.send(SCALE, 9.0)
    line, held = client.ping()
    assert line.address == ERROR
    assert held == Message(SCALE, (2.0,))


@pytest.mark.parametrize("mode", ["1.0", "1.1"])
def test_python_osc_sets_and_asks_over_tcp(server: OscServer, parameters: Parameters, mode: str) -> None:
    with SimpleTCPClient("127.0.0.1", server.tcp_port, mode=mode) as sender:
        sender.send_message(PROMPT, "with ünïcode")
        sender.send_message("/streamvace/ping", ["token", 7])
        reply = next(sender.get_messages(PATIENCE))
    assert (reply.address, list(reply.params)) == ("/streamvace/pong", ["token", 7])
    assert parameters.snapshot()[PROMPT] == "with ünïcode"


def test_tcp_listens_on_the_number_of_the_udp_port(parameters: Parameters) -> None:
    with OscServer(parameters, port=0) as first:
        free = first.port
    with OscServer(parameters, port=free) as server:
        assert server.tcp_port == server.port == free


def test_a_taken_tcp_port_costs_another_number_and_not_the_show(parameters: Parameters) -> None:
    with OscServer(parameters, port=0, tcp_port=-1) as quiet, socket.socket() as squatter:
        assert quiet.tcp_port is None
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        taken = squatter.getsockname()[1]
        with OscServer(parameters, port=taken) as server:
            assert server.port == taken
            assert server.tcp_port not in (None, taken)
        with pytest.raises(UserError, match="in use"):
            OscServer(parameters, port=0, tcp_port=taken)
        for impossible in (65536, 1 << 40):
            with pytest.raises(UserError, match=r"1\.\.65535"):
                OscServer(parameters, port=0, tcp_port=impossible)


def test_a_subscriber_over_tcp_hears_what_others_change_and_not_its_own(
    dial: Callable[..., TcpClient], client: Client, server: OscServer
) -> None:
    desk, tablet = dial(), dial(Framing.SLIP)
    for each in (desk, tablet):
        each.send("/streamvace/subscribe")
        each.ping()
    desk.send(SCALE, 0.5)
    assert desk.ping() == []
    assert tablet.ping() == [Message(SCALE, (0.5,))]
    client.send(SEED, 7)
    client.ping()
    assert desk.ping() == [Message(SEED, (7,))]
    server.publish("/streamvace/status/fps", 12.5)
    assert desk.receive() == Message("/streamvace/status/fps", (12.5,))
    tablet.send("/streamvace/unsubscribe")
    tablet.ping()


def test_a_tcp_client_may_have_its_feedback_over_udp(dial: Callable[..., TcpClient], client: Client) -> None:
    desk = dial()
    desk.send("/streamvace/subscribe", client.port)
    desk.ping()
    desk.send(SEED, "?")
    assert client.receive() == Message(SEED, (42,))


def test_who_hangs_up_is_no_subscriber_any_more(
    dial: Callable[..., TcpClient], client: Client, server: OscServer
) -> None:
    for _ in range(3):
        desk = dial()
        desk.send("/streamvace/subscribe")
        desk.ping()
        desk.socket.close()
    other = dial()
    other.send("/streamvace/sync")
    other.ping()
    client.send(SEED, 9)
    client.ping()
    assert len(server._subscribers) == 0


@pytest.mark.parametrize(
    "broken", [struct.pack(">i", 5), struct.pack(">i", 1 << 20), b"\x7f\xff\xff\xfc", b"POST / HTTP/1.1\r\n\r\n"]
)
def test_a_stream_that_makes_no_sense_ends_that_connection_and_is_counted(
    dial: Callable[..., TcpClient], client: Client, server: OscServer, parameters: Parameters, broken: bytes
) -> None:
    good, bad = dial(), dial()
    bad.raw(frame(encode_message(SEED, 5), Framing.LENGTH) + broken if broken[0] == 0 else broken)
    assert bad.is_disconnected()
    good.ping()
    client.ping()
    assert server.counters().tcp_unframed == 1
    assert parameters.snapshot()[SEED] == (5 if broken[0] == 0 else 42), "what came before it counts"


def test_hostile_packets_in_good_frames_leave_the_connection_answering(
    dial: Callable[..., TcpClient], server: OscServer, parameters: Parameters
) -> None:
    client = dial()
    for datagrams in hostile(0.0).values():
        for datagram in datagrams:
            if datagram and len(datagram) % 4 == 0:
                client.raw(frame(datagram, Framing.LENGTH))
    client.ping()
    client.send(SCALE, 0.75)
    client.ping()
    assert parameters.snapshot()[SCALE] == 0.75
    assert server.counters().malformed > 0
    assert server.counters().tcp_unframed == 0


def test_of_a_burst_over_tcp_nothing_is_lost_and_the_last_value_of_each_address_holds(
    dial: Callable[..., TcpClient], server: OscServer, parameters: Parameters
) -> None:
    client = dial()
    client.raw(b"".join(frame(encode_message((SCALE, SEED)[n % 2], n / 10_000), Framing.LENGTH) for n in range(20_000)))
    client.ping()
    assert (parameters.snapshot()[SCALE], parameters.snapshot()[SEED]) == (pytest.approx(1.9998), 2)
    counters = server.counters()
    assert counters.messages == 20_001
    assert counters.applied + counters.coalesced == 20_000


def test_who_reads_slowly_gets_everything_in_order() -> None:
    """What the system does not take at once waits, to the byte, and goes on when the client reads."""
    listener, selector = listen("127.0.0.1", 0, 0), selectors.DefaultSelector()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    connections = TcpConnections(listener, selector, Counters(), on_gone=lambda peer: None)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(PATIENCE)
    client.connect(("127.0.0.1", connections.port))
    client.sendall(frame(encode_message(SEED), Framing.LENGTH))
    while not connections.receive(selector.select(PATIENCE), 0.0):
        pass
    [peer] = connections.peers()
    sent = [encode_message(PROMPT, f"{number} " + "x" * 1000) for number in range(200)]
    for packet in sent:
        assert connections.send(peer, packet)
    unframer, received = Unframer(), list[bytes]()
    while len(received) < len(sent):
        received += unframer.feed(client.recv(1000))
        connections.receive(selector.select(0), 0.0)
    assert received == sent
    client.close()
    connections.close()


def test_who_does_not_read_is_dropped_and_holds_up_nobody(
    dial: Callable[..., TcpClient], client: Client, server: OscServer
) -> None:
    deaf = dial()
    deaf.send("/streamvace/ping", "x")
    deaf.receive()
    big = encode_message("/streamvace/ping", "x" * 30_000)
    deaf.socket.setblocking(False)
    backlog = 0
    while not server.counters().tcp_slow:
        try:
            backlog += deaf.socket.send(frame(big, Framing.LENGTH))
        except BlockingIOError:
            pass
        except ConnectionError:
            break
        client.ping()
        assert backlog < 1 << 28, "what waits for it has no bound"
    client.ping()
    assert server.counters().tcp_slow == 1
    assert backlog > MAX_BACKLOG


def test_silent_connections_make_room_and_keep_nobody_out(
    dial: Callable[..., TcpClient], server: OscServer, parameters: Parameters
) -> None:
    desk = dial()
    desk.ping()
    silent = [dial() for _ in range(MOST_PER_HOST)]
    late = dial()
    late.send(SEED, 7)
    late.ping()
    assert parameters.snapshot()[SEED] == 7
    desk.ping()
    assert silent[0].is_disconnected()
    assert server.counters().tcp_displaced == 2


class Table:
    """The connections of a server on a clock that stands still."""

    def __init__(self) -> None:
        self.selector, self.counters = selectors.DefaultSelector(), Counters()
        self.notes: list[str] = []
        listener = listen("127.0.0.1", 0, 0)
        self.connections = TcpConnections(
            listener, self.selector, self.counters, lambda peer: None, lambda host, line: self.notes.append(line)
        )
        self.clients: list[socket.socket] = []
        # As the server's sockets for UDP and for its wake-up: Windows refuses to wait for none.
        self._quiet = socket.socketpair()
        self.selector.register(self._quiet[0], selectors.EVENT_READ)

    def close(self) -> None:
        self.connections.close()
        for each in (*self.clients, *self._quiet):
            each.close()

    def dial(self) -> socket.socket:
        self.clients.append(socket.create_connection(("127.0.0.1", self.connections.port), PATIENCE))
        return self.clients[-1]

    def turn(self, now: float) -> None:
        self.connections.receive(self.selector.select(PATIENCE), now)


@pytest.fixture
def table() -> Iterator[Table]:
    made = Table()
    yield made
    made.close()


def test_a_packet_that_is_never_completed_ends_its_connection(table: Table) -> None:
    slow, good = table.dial(), table.dial()
    slow.sendall(b"\0\0\0\x14/str")
    good.sendall(frame(encode_message(SEED, 5), Framing.LENGTH))
    while len(table.connections.peers()) < 2 or table.selector.select(0):
        table.turn(0.0)
    table.connections.look(9.0)
    assert len(table.connections.peers()) == 2
    table.connections.look(11.0)
    assert len(table.connections.peers()) == 1
    assert table.counters.tcp_overdue == 1
    assert table.notes == [f"tcp 127.0.0.1:{slow.getsockname()[1]} disconnected: a packet was not complete after 10 s"]


def test_who_says_nothing_in_ten_minutes_goes_and_who_has_said_something_stays(table: Table) -> None:
    table.dial()
    desk = table.dial()
    desk.sendall(frame(encode_message(SEED, 5), Framing.LENGTH))
    while len(table.connections.peers()) < 2 or table.selector.select(0):
        table.turn(0.0)
    table.connections.stood_still(3600.0)
    table.connections.look(3600.0 + MUTE_SECONDS)
    assert len(table.connections.peers()) == 2, "while the machine sleeps, nobody can say anything"
    table.connections.look(3601.0 + MUTE_SECONDS)
    assert [port for _, port in table.connections.peers()] == [desk.getsockname()[1]]


def test_without_a_descriptor_accepting_pauses_and_goes_on(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def accept(self) -> None:
            raise OSError(errno.EMFILE, "Too many open files")

        def __getattr__(self, name: str) -> object:
            return getattr(listener, name)

    listener = table.connections._listener
    table.dial()
    monkeypatch.setattr(table.connections, "_listener", Full())
    table.turn(0.0)
    assert table.selector.select(0) == [], "a port that stays readable would keep the thread busy"
    assert "Too many open files" in table.notes[0]
    monkeypatch.setattr(table.connections, "_listener", listener)
    table.connections.look(PAUSE_SECONDS)
    table.turn(PAUSE_SECONDS)
    assert len(table.connections.peers()) == 1


def test_a_flood_of_connections_is_accepted_a_few_a_turn(table: Table) -> None:
    for _ in range(3 * MOST_ACCEPTED):
        table.dial()
    table.turn(0.0)
    assert len(table.connections.peers()) == MOST_ACCEPTED
    assert MOST_PER_HOST < MOST_CONNECTIONS


def test_closing_ends_connections_and_frees_the_port(parameters: Parameters) -> None:
    with OscServer(parameters, port=0) as server:
        client = TcpClient(server)
        client.ping()
        port = server.port
    assert client.is_disconnected()
    client.socket.close()
    with OscServer(parameters, port=port, tcp_port=port):
        pass
