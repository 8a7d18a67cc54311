"""The one connection of a page: who may open it, how many, and what nothing that arrives there can do."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

import osc_schema
from streamvace.web import page_socket
from streamvace.web.page_socket import MOST_BYTES, MOST_PAGES
from streamvace.web.preview import WebPreview
from tests.video.helpers import until
from tests.web.show import Client, Show, connect, grey


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[" * 5000, "null", "7", '{"watch": 5}', '{"watch": [[], "nothing", null]}', '{"drawn": {}}'),
        *('{"drawn": "output"}', '{"drawn": [1]}', '{"watch": ["output"]}'),
        '{"address": "/streamvace/seed", "arguments": [NaN]}',
    ],
)
def test_nothing_that_is_sent_ends_the_connection(show: Show, text: str) -> None:
    async def act(client: Client) -> None:
        await client.socket.send_str(text)
        await client.set("/streamvace/seed", 11)
        await client.until(lambda told: told.values.get("/streamvace/seed") == 11)

    connect(show.web, act)


@pytest.mark.parametrize("count", ["-5", "1e400", "NaN", "null", '"2"', "[[]]", "{}", "true", "9" * 5000])
def test_a_count_of_drawn_pictures_that_is_none_ends_nothing(show: Show, count: str) -> None:
    async def act(client: Client) -> None:
        await client.socket.send_json({"watch": ["output"]})
        show.web.publish(grey(50))
        await client.until(lambda told: len(told.pictures) == 1)
        await client.socket.send_str(f'{{"drawn": {{"output": {count}, "nothing": 1}}}}')
        await client.set("/streamvace/seed", 11)
        await client.until(lambda told: told.values.get("/streamvace/seed") == 11)

    connect(show.web, act)


def test_a_message_too_long_ends_one_page_and_no_other(show: Show) -> None:
    async def act(client: Client) -> None:
        await client.socket.send_str("x" * (MOST_BYTES + 1))
        assert (await client.end()).data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG

    async def ask(client: Client) -> None:
        await client.until(lambda told: bool(told.cues))

    connect(show.web, act)
    connect(show.web, ask)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:1", "null", "http://localhost", "http://[", "", "http://"]
)
def test_a_page_of_another_site_may_not_connect(show: Show, origin: str) -> None:
    async def act(client: Client) -> None:
        raise AssertionError("it was let in")

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        connect(show.web, act, Origin=origin)
    assert refused.value.status == 403


def test_our_own_page_may(show: Show) -> None:
    async def act(client: Client) -> None:
        await client.until(lambda told: bool(told.cues))

    connect(show.web, act, Origin=show.web.url.rstrip("/"))


def test_there_is_an_end_to_the_number_of_pages_and_one_that_is_closed_makes_room(show: Show) -> None:
    async def go() -> None:
        async with aiohttp.ClientSession() as session:
            sockets = [await session.ws_connect(f"{show.web.url}page") for _ in range(MOST_PAGES)]
            one_more = await session.ws_connect(f"{show.web.url}page")
            refused = await one_more.receive(timeout=20)
            assert refused.type is aiohttp.WSMsgType.CLOSE
            assert refused.data == aiohttp.WSCloseCode.TRY_AGAIN_LATER
            assert "32 pages are open already; close one" in refused.extra
            for socket in sockets:
                await socket.close()
            await asyncio.to_thread(until, lambda: not show.web.figures()["web_pages"])
            async with session.ws_connect(f"{show.web.url}page") as socket:
                assert (await socket.receive(timeout=20)).type is aiohttp.WSMsgType.TEXT

    asyncio.run(go())


def test_a_page_that_was_open_before_the_show_gets_the_panel_when_it_starts(show: Show) -> None:
    web = WebPreview(port=0, hints=(("Change the prompt", "oscsend"),))

    async def act(client: Client) -> None:
        await client.until(lambda told: told.told.get("hints") == [{"what": "Change the prompt", "line": "oscsend"}])
        await client.set("/streamvace/seed", 3)
        await client.until(lambda told: told.lines == ["the show has not started; try again"])
        web.set_panel(show.panel)
        await client.until(lambda told: bool(told.panel) and bool(told.values))
        await client.set("/streamvace/seed", 3)
        await client.until(lambda told: told.values["/streamvace/seed"] == 3)

    try:
        connect(web, act)
    finally:
        web.close()


def test_a_page_gets_the_views_that_it_watches_and_no_others(show: Show) -> None:
    views = show.web.views

    async def act(client: Client) -> None:
        await client.socket.send_json({"watch": ["output", "mask"]})
        await asyncio.to_thread(until, lambda: views["mask"].wanted)
        assert not views["control"].wanted
        views["mask"].publish(grey(90))
        await client.until(lambda told: len(told.pictures) == 1)
        assert client.pictures[0][:5] == b"\x04mask"
        await client.socket.send_json({"watch": ["control"]})
        await asyncio.to_thread(until, lambda: views["control"].wanted)
        assert [feed.wanted for feed in (show.web.feed, views["mask"])] == [False, False]

    connect(show.web, act)
    until(lambda: not views["control"].wanted)


def test_the_end_of_the_show_is_said(show: Show) -> None:
    async def act(client: Client) -> None:
        await client.until(lambda told: bool(told.cues))
        await asyncio.to_thread(show.web.close)
        assert (await client.end()).extra == "the show is over"

    connect(show.web, act)


def test_figures_that_json_cannot_carry_are_null(show: Show) -> None:
    show.web.set_stats(lambda: {"state": "running", "fps": float("nan")})

    async def act(client: Client) -> None:
        await client.until(lambda told: told.told.get("stats") == {"state": "running", "fps": None})

    connect(show.web, act)


def test_the_schema_is_told_once(show: Show) -> None:
    async def act(client: Client) -> None:
        await client.until(lambda told: bool(told.cues))
        assert len(client.panel["schema"]) == len(osc_schema.load())
        client.panel = {}
        await client.set("/streamvace/seed", 5)
        await client.until(lambda told: told.values["/streamvace/seed"] == 5)
        assert client.panel == {}

    connect(show.web, act)


def test_the_show_knows_on_which_machine_a_browser_runs(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    def arrives_from(name: str) -> None:
        async def act(client: Client) -> None:
            await client.set("/streamvace/seed", 5)
            await client.until(lambda told: name in [row["from"] for row in told.arrivals])

        connect(show.web, act)

    arrives_from("the page")
    monkeypatch.setattr(page_socket, "is_this_machine", lambda host: False)
    arrives_from("the page at 127.0.0.1")
    assert [row["from"] for row in show.osc.arrivals()] == ["the page", "the page at 127.0.0.1"]


def test_a_show_in_which_nothing_changes_says_that_it_is_there(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_socket, "ALIVE_S", 0.1)

    async def act(client: Client) -> None:
        await client.until(lambda told: bool(told.cues))
        for _ in range(3):
            assert (await client.socket.receive_json(timeout=20)) == {}

    connect(show.web, act)
