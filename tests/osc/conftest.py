"""A real server on a free port, and a client that waits for answers instead of sleeping."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from streamvace.control.parameters import Parameters, Snapshot
from streamvace.osc.codec import Argument, Message, decode, encode_message
from streamvace.osc.server import OscServer
from tests.osc.clock import Clock
from tests.patience import PATIENCE_S as PATIENCE


class Client:
    """One UDP socket talking to one server."""

    def __init__(self, server: OscServer) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(PATIENCE)
        self._server = ("127.0.0.1", server.port)
        self._tokens = 0
        self.port: int = self._socket.getsockname()[1]

    def raw(self, datagram: bytes) -> None:
        self._socket.sendto(datagram, self._server)

    def send(self, address: str, *arguments: object) -> None:
        self.raw(encode_message(address, *arguments))

    def receive(self) -> Message:
        [message] = decode(self._socket.recv(65536))
        return message

    def until(self, address: str, *arguments: Argument) -> list[Message]:
        """Everything received up to the message asked for, without it."""
        before = []
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            message = self.receive()
            if message.address == address and message.arguments[: len(arguments)] == arguments:
                return before
            before.append(message)
        raise AssertionError(f"{address} {arguments} never came, only {before[-3:]}")

    def ping(self) -> list[Message]:
        """Wait until everything sent so far is applied; returns what was received meanwhile."""
        self._tokens += 1
        token = f"{self.port}-{self._tokens}"
        self.send("/streamvace/ping", token)
        return self.until("/streamvace/pong", token)

    def insist(self, datagram: bytes) -> None:
        """Deliver a datagram even when the system drops some: again with a ping, until the pong comes."""
        self._socket.settimeout(1.0)
        try:
            for _ in range(int(PATIENCE)):
                self.raw(datagram)
                try:
                    self.ping()
                except TimeoutError:
                    continue
                return
        finally:
            self._socket.settimeout(PATIENCE)
        raise AssertionError("the server no longer answers")

    def close(self) -> None:
        self._socket.close()


class Watch:
    """Waits for the parameters to become something."""

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._changed = threading.Condition()
        parameters.listen(self._notify)

    def _notify(self, snapshot: Snapshot, changed: object) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, condition: Callable[[Snapshot], bool]) -> Snapshot:
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self._parameters.snapshot()), PATIENCE)
        return self._parameters.snapshot()


@pytest.fixture
def clock() -> Clock:
    return Clock(1_700_000_000.0)


@pytest.fixture
def parameters() -> Parameters:
    return Parameters()


@pytest.fixture
def watch(parameters: Parameters) -> Watch:
    return Watch(parameters)


@pytest.fixture
def server(parameters: Parameters) -> Iterator[OscServer]:
    with OscServer(parameters, port=0) as running:
        yield running
    assert running.counters().faults == 0, "nothing may reach the server's last guard"


@pytest.fixture
def connect(server: OscServer) -> Iterator[Callable[[], Client]]:
    clients: list[Client] = []

    def one_more() -> Client:
        clients.append(Client(server))
        return clients[-1]

    yield one_more
    for client in clients:
        client.close()


@pytest.fixture
def client(connect: Callable[[], Client]) -> Client:
    return connect()
