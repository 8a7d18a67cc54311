"""Limits on connections: silent ones make room, those in use stay, and none is silent for long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack

from streamvace.system.connections import Connections
from streamvace.system.network import AllowList

Reader = asyncio.StreamReader
Open = Callable[[], Awaitable[tuple[Reader, asyncio.StreamWriter]]]


class Echo(asyncio.Protocol):
    """Answers every line; `hold` is a request that is never answered."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self.held = ExitStack()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if data == b"hold\n":
            self.held.enter_context(self.connections.serving(self.transport))
            self.transport.write(b"held\n")
        else:
            with self.connections.serving(self.transport):
                self.transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.held.close()


def serve(
    act: Callable[[Connections, Open], Awaitable[None]],
    most: int = 4,
    most_per_host: int = 3,
    idle_s: float = 60.0,
) -> list[tuple[str, str, str]]:
    """Run a server with these limits; returns what it reported."""
    said: list[tuple[str, str, str]] = []

    async def go() -> None:
        limits = (most, most_per_host, idle_s)
        connections = Connections("web", lambda *report: said.append(report), AllowList(), *limits)
        writers: list[asyncio.StreamWriter] = []
        factory = connections.limited(lambda: Echo(connections))
        server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]

        async def open_one() -> tuple[Reader, asyncio.StreamWriter]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(writer)
            return reader, writer

        await asyncio.wait_for(act(connections, open_one), 30)
        server.close()
        for writer in writers:
            writer.close()
        while len(connections):
            await asyncio.sleep(0)

    asyncio.run(go())
    return said


async def gone(reader: Reader) -> bool:
    """Wait until the server has closed the connection."""
    try:
        return await reader.read(1) == b""
    except ConnectionResetError:
        return True


async def answered(reader: Reader, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"hello\n")
    return await reader.readline() == b"hello\n"


def test_the_oldest_silent_connection_makes_room_and_the_newest_is_answered() -> None:
    async def act(connections: Connections, open_one: Open) -> None:
        silent = [await open_one() for _ in range(3)]
        newest = await open_one()
        assert await answered(*newest)
        assert await gone(silent[0][0])
        assert await answered(*silent[1])
        assert (len(connections), connections.refused) == (3, 1)

    assert serve(act) == [("web connections", "127.0.0.1 has 3 open, the maximum; one was closed", "127.0.0.1")]


def test_connections_in_use_stay_and_the_newest_is_closed() -> None:
    async def act(connections: Connections, open_one: Open) -> None:
        busy = [await open_one() for _ in range(3)]
        for reader, writer in busy:
            writer.write(b"hold\n")
            assert await reader.readline() == b"held\n"
        newest = await open_one()
        while not connections.refused:
            await asyncio.sleep(0)
        assert await gone(newest[0]), "nothing can make room"
        assert len(connections) == 3

    serve(act, most=3, most_per_host=9)


def test_a_connection_without_a_request_is_closed_and_one_that_is_used_is_not() -> None:
    async def act(connections: Connections, open_one: Open) -> None:
        used = await open_one()
        used[1].write(b"hold\n")
        assert await used[0].readline() == b"held\n"
        silent = await open_one()
        assert await gone(silent[0])
        assert await answered(*used)
        assert await gone(used[0]), "answered and silent again"
        assert len(connections) == 0

    assert serve(act, idle_s=0.05) == []
