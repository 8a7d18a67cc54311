"""OSCQuery as its clients see it: over HTTP, over WebSocket, and by the python-oscquery package."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import aiohttp
import pytest

from streamvace.control.parameters import Parameters
from streamvace.osc.advertise import SERVICE, host_name
from streamvace.osc.codec import Message, decode
from streamvace.osc.query_server import MAX_LISTENERS, OscQueryServer
from streamvace.osc.server import OscServer
from streamvace.system.errors import UserError
from streamvace.web.hosts import host_allowed
from tests.osc.conftest import PATIENCE
from tests.real_parts import require_package

SCALE = "/streamvace/context_scale"
SEED = "/streamvace/seed"
FPS = "/streamvace/status/fps"


@pytest.fixture
def query(parameters: Parameters, server: OscServer) -> Iterator[OscQueryServer]:
    with OscQueryServer(parameters, server, host_allowed, advertise=False) as running:
        yield running


def get(query: OscQueryServer, target: str, **headers: str) -> tuple[int, Any]:
    """(status, JSON or text)"""
    connection = http.client.HTTPConnection("127.0.0.1", query.port, timeout=PATIENCE)
    connection.request("GET", target, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    if answer.headers.get("Content-Type", "").startswith("application/json"):
        return answer.status, json.loads(body)
    return answer.status, body.decode()


Session = Callable[["Panel"], Awaitable[None]]


class Panel:
    """A WebSocket client."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, command: str, path: object) -> None:
        await self.socket.send_str(json.dumps({"COMMAND": command, "DATA": path}))

    async def hear(self) -> Message:
        message = await self.socket.receive(PATIENCE)
        assert message.type is aiohttp.WSMsgType.BINARY, message
        [decoded] = decode(message.data)
        return decoded

    async def until(self, wanted: Message) -> None:
        while await self.hear() != wanted:
            pass


def with_panel(query: OscQueryServer, session: Session, **headers: str) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as client, client.ws_connect(query.url, headers=headers) as socket:
            await session(Panel(socket))

    asyncio.run(run())


def test_the_namespace_comes_with_the_values_of_the_moment(
    query: OscQueryServer, server: OscServer, parameters: Parameters
) -> None:
    parameters.set(SCALE, (0.5,), "test")
    server.publish(FPS, 12.5)
    status, root = get(query, "/")
    assert status == 200
    nodes = root["CONTENTS"]["streamvace"]["CONTENTS"]
    assert nodes["context_scale"]["VALUE"] == [0.5]
    assert nodes["status"]["CONTENTS"]["fps"]["VALUE"] == [12.5]


def test_attributes_and_mistakes_have_their_status(query: OscQueryServer, server: OscServer) -> None:
    assert get(query, f"{SCALE}?VALUE") == (200, {"VALUE": [1.0]})
    assert get(query, "/?HOST_INFO")[1]["OSC_PORT"] == server.port
    assert get(query, "/streamvace/reset?VALUE") == (204, "")
    assert get(query, f"{SCALE}?NONSENSE")[0] == 400
    assert get(query, "/nowhere")[0] == 404
    assert get(query, "/%2e%2e/etc/passwd")[0] == 404


def test_only_this_machine_and_its_own_pages_are_answered(query: OscQueryServer) -> None:
    for host in ("localhost", "127.0.0.1", f"localhost:{query.port}"):
        assert get(query, "/", Host=host)[0] == 200
    assert get(query, "/", Host="evil.example")[0] == 403
    assert get(query, "/", Origin=query.url)[0] == 200
    for origin in ("http://evil.example", "null", "http://[", ""):
        assert get(query, "/", Origin=origin)[0] == 403, origin

    async def nothing(panel: Panel) -> None:
        raise AssertionError("a page of a stranger was let in")

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        with_panel(query, nothing, Origin="http://evil.example")
    assert refused.value.status == 403


def test_a_server_opened_to_the_network_answers_to_the_name_it_announces(
    parameters: Parameters, server: OscServer
) -> None:
    for host, status in (("0.0.0.0", 200), ("127.0.0.1", 403)):
        with OscQueryServer(parameters, server, host_allowed, host) as query:
            name = f"{host_name(query.port)}:{query.port}"
            assert get(query, "/", Host=name)[0] == status
            assert get(query, "/", Host=f"x{name}")[0] == 403


def test_who_listens_hears_the_value_and_every_change(
    query: OscQueryServer, server: OscServer, parameters: Parameters
) -> None:
    async def session(panel: Panel) -> None:
        await panel.say("LISTEN", SCALE)
        assert await panel.hear() == Message(SCALE, (1.0,))
        parameters.set(SEED, (7,), "test")
        parameters.set(SCALE, (0.5,), "test")
        assert await panel.hear() == Message(SCALE, (0.5,)), "and nothing of what it did not ask for"
        await panel.say("LISTEN", FPS)
        assert await panel.hear() == Message(FPS, (0.0,))
        server.publish(FPS, 24.0)
        assert await panel.hear() == Message(FPS, (24.0,))

    with_panel(query, session)


def test_who_ignores_hears_no_more(query: OscQueryServer, parameters: Parameters) -> None:
    async def session(panel: Panel) -> None:
        await panel.say("LISTEN", SCALE)
        await panel.hear()
        await panel.say("IGNORE", SCALE)
        await panel.say("LISTEN", SEED)
        assert await panel.hear() == Message(SEED, (42,))
        parameters.set(SCALE, (0.5,), "test")
        parameters.set(SEED, (7,), "test")
        assert await panel.hear() == Message(SEED, (7,))

    with_panel(query, session)


def test_of_a_burst_the_last_value_arrives(query: OscQueryServer, parameters: Parameters) -> None:
    async def session(panel: Panel) -> None:
        await panel.say("LISTEN", SEED)
        for number in range(5000):
            parameters.set(SEED, (number,), "test")
        await panel.until(Message(SEED, (4999,)))

    with_panel(query, session)


def test_a_burst_wakes_the_server_once(
    query: OscQueryServer, parameters: Parameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Callable[[], None]] = []

    async def session(panel: Panel) -> None:
        await panel.say("LISTEN", SEED)
        await panel.hear()
        for last in (99, 7):
            with monkeypatch.context() as patch:
                patch.setattr(query, "_call", asked.append)
                for number in (*range(100, 120), last):
                    parameters.set(SEED, (number,), "test")
            [wake] = asked
            asked.clear()
            query._call(wake)
            await panel.until(Message(SEED, (last,)))

    with_panel(query, session)


def test_what_makes_no_sense_is_ignored(query: OscQueryServer) -> None:
    async def session(panel: Panel) -> None:
        for text in ("", "LISTEN", "[]", "{}", "[" * 4000, '{"COMMAND": 7}', '{"COMMAND": "LISTEN", "DATA": {}}'):
            await panel.socket.send_str(text)
        await panel.socket.send_bytes(b"\xff" * 100)
        for path in ("/nowhere", "/streamvace", "/streamvace/reset", "", None):
            await panel.say("LISTEN", path)
            await panel.say("IGNORE", path)
        await panel.say("EXPLODE", SCALE)
        await panel.say("LISTEN", SCALE)
        assert await panel.hear() == Message(SCALE, (1.0,))

    with_panel(query, session)


def test_a_command_without_end_is_disconnected(query: OscQueryServer) -> None:
    async def session(panel: Panel) -> None:
        await panel.socket.send_str("x" * 100_000)
        message = await panel.socket.receive(PATIENCE)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)

    with_panel(query, session)


def test_a_deaf_listener_holds_up_neither_the_values_nor_another_listener(
    query: OscQueryServer, parameters: Parameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamvace.osc.query_listener.PAUSE_SECONDS", 0)  # megabytes, in less than a second
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.settimeout(PATIENCE)
        deaf.connect(("127.0.0.1", query.port))
        deaf.sendall(
            b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        command = json.dumps({"COMMAND": "LISTEN", "DATA": "/streamvace/prompt"}).encode()
        deaf.sendall(bytes([0x81, 0x80 | len(command), 0, 0, 0, 0]) + command)

        async def session(panel: Panel) -> None:
            await panel.say("LISTEN", SEED)
            for number in range(300):
                parameters.set("/streamvace/prompt", (f"{number:04d}" + "\N{FIRE}" * 1990,), "test")
                parameters.set(SEED, (number,), "test")
                await panel.until(Message(SEED, (number,)))

        with_panel(query, session)


def test_one_listener_too_many_gets_a_503_and_the_others_stay(query: OscQueryServer) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as client:
            panels = [Panel(await client.ws_connect(query.url)) for _ in range(MAX_LISTENERS)]
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.ws_connect(query.url)
            assert refused.value.status == 503
            for panel in panels:
                await panel.say("LISTEN", SCALE)
                assert await panel.hear() == Message(SCALE, (1.0,))
                await panel.socket.close()

    asyncio.run(run())


def test_closing_says_goodbye_to_listeners_and_frees_the_port(parameters: Parameters, server: OscServer) -> None:
    query = OscQueryServer(parameters, server, host_allowed, advertise=False)

    async def session(panel: Panel) -> None:
        await panel.say("LISTEN", SCALE)
        await panel.hear()
        await asyncio.to_thread(query.close)
        message = await panel.socket.receive(PATIENCE)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)

    with_panel(query, session)
    query.close()
    parameters.set(SCALE, (0.25,), "test")
    assert parameters.listener_errors == 0
    with OscQueryServer(parameters, server, host_allowed, port=query.port, advertise=False):
        pass
    assert "oscquery" not in {thread.name for thread in threading.enumerate()}


def test_a_taken_port_is_one_line(query: OscQueryServer, parameters: Parameters, server: OscServer) -> None:
    with pytest.raises(UserError, match="--oscquery-port"):
        OscQueryServer(parameters, server, host_allowed, port=query.port)
    with pytest.raises(UserError, match=r"203\.0\.113\.1 is not an address of this machine"):
        OscQueryServer(parameters, server, host_allowed, host="203.0.113.1")


def test_without_a_network_it_says_so_in_one_line_and_answers(
    parameters: Parameters, server: OscServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_interface(*_: object, **__: object) -> None:
        raise OSError(19, "No such device")

    require_package("zeroconf", "pip install zeroconf")
    monkeypatch.setattr("zeroconf.asyncio.AsyncZeroconf", no_interface)
    with OscQueryServer(parameters, server, host_allowed) as query:
        deadline = time.monotonic() + PATIENCE
        while not caplog.records and time.monotonic() < deadline:
            time.sleep(0.01)
        assert get(query, f"{SCALE}?VALUE") == (200, {"VALUE": [1.0]})
    [record] = caplog.records
    assert "not announced" in record.getMessage()
    assert "\n" not in record.getMessage()


def test_python_oscquery_finds_the_server_and_reads_it(parameters: Parameters, server: OscServer) -> None:
    require_package("pythonoscquery", "pip install python-oscquery")
    from pythonoscquery.osc_query_browser import OSCQueryBrowser
    from pythonoscquery.osc_query_client import OSCQueryClient
    from pythonoscquery.shared.oscquery_spec import OSCQueryAttribute

    with OscQueryServer(parameters, server, host_allowed) as query:
        browser = OSCQueryBrowser()
        try:
            found, deadline = None, time.monotonic() + PATIENCE
            while found is None and time.monotonic() < deadline:
                services = [info for info in browser.get_discovered_oscquery() if info is not None]
                found = next((info for info in services if info.port == query.port), None)
                time.sleep(0.02)
            assert found is not None, "the announcement was not found"
            assert found.name == f"streamvace {server.port}.{SERVICE}"
            client = OSCQueryClient(found)
            info = client.get_host_info()
            node = client.query_node(SCALE)
            root = client.query_node("/")
        finally:
            browser.zc.close()
    assert (info.name, info.osc_port, info.osc_ip) == ("streamvace", server.port, "127.0.0.1")
    assert info.extensions["RANGE"]
    assert node.attributes[OSCQueryAttribute.VALUE] == [1.0]
    assert node.attributes[OSCQueryAttribute.TYPE] == [float]
    [streamvace] = root.attributes[OSCQueryAttribute.CONTENTS]
    assert len(streamvace.attributes[OSCQueryAttribute.CONTENTS]) > 5
