"""The token of a page that is open to the network: without it nothing is answered, and it outlives the show."""

from __future__ import annotations

import asyncio
import http.client
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from streamvace.system.errors import UserError
from streamvace.web.preview import WebPreview
from streamvace.web.token import Token, kept_token
from tests.web.devtools import Browser
from tests.web.show import grey

SECRET = "a-secret-of-16-letters"


@pytest.fixture
def guarded() -> Iterator[WebPreview]:
    server = WebPreview(port=0, token=Token(SECRET))
    server.publish(grey(90))
    yield server
    server.close()


def get(web: WebPreview, path: str, cookie: str = "") -> tuple[int, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
    connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    answer = connection.getresponse()
    headers = dict(answer.headers)
    connection.close()
    return answer.status, headers


PATHS = ("/", "/page.js", "/stream.mjpg", "/mask.mjpg", "/frame.jpg", "/stats.json", "/metrics", "/page", "/nothing")
WRONG = ("?token=", "?token=wrong", f"?token={SECRET}x", "?token=%ff%00", f"?Token={SECRET}")


@pytest.mark.parametrize(("path", "query"), [*((path, "") for path in PATHS), *(("/", query) for query in WRONG)])
def test_nothing_is_answered_without_it(guarded: WebPreview, path: str, query: str) -> None:
    status, headers = get(guarded, path + query)
    assert status == 401
    assert "Set-Cookie" not in headers
    assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path", ["/", "/stream.mjpg", "/frame.jpg", "/stats.json", "/metrics"])
def test_with_it_every_address_is_answered(guarded: WebPreview, path: str) -> None:
    assert get(guarded, f"{path}?token={SECRET}")[0] == 200


def test_a_browser_that_opened_the_page_once_needs_no_token_again(guarded: WebPreview) -> None:
    cookie = get(guarded, f"/?token={SECRET}")[1]["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    pair = cookie.partition(";")[0]
    assert pair.startswith(f"streamvace-{guarded.port}="), "two shows on one machine have two cookies"
    assert get(guarded, "/stats.json", pair)[0] == 200
    assert get(guarded, "/stats.json", pair + "x")[0] == 401


def test_the_websocket_needs_it_too(guarded: WebPreview) -> None:
    async def go() -> None:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"{guarded.url}page")
            assert refused.value.status == 401
            async with session.ws_connect(f"{guarded.url}page?token={SECRET}") as socket:
                assert (await socket.receive(timeout=20)).type is aiohttp.WSMsgType.TEXT

    asyncio.run(go())


def test_a_real_browser_gets_everything_by_the_printed_address_and_is_told_of_a_new_token(
    tabs: Browser, guarded: WebPreview
) -> None:
    assert guarded.links == (f"{guarded.url}?token={SECRET}",)

    async def go() -> None:
        async with tabs.open(guarded.links[0]) as page:
            await page.until("document.getElementById('over').hidden")
            port = guarded.port
            await asyncio.to_thread(guarded.close)
            changed = await asyncio.to_thread(lambda: WebPreview(port=port, token=Token("another-secret-of-it")))
            try:
                await page.until("document.getElementById('over').textContent.includes('address with the token again')")
            finally:
                await asyncio.to_thread(changed.close)

    asyncio.run(go())


def test_it_is_kept_in_a_file_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "streamvace" / "web-token"
    first = kept_token(file)
    assert len(first.text) >= 20
    assert kept_token(file).text == first.text
    assert kept_token(tmp_path / "other").text != first.text
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "short", "with spaces in the middle of it", "a" * 500, "ümlaut-" * 4])
def test_a_file_with_anything_else_is_refused_with_the_fix(tmp_path: Path, text: str) -> None:
    file = tmp_path / "web-token"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"holds no token.*delete it"):
        kept_token(file)


def test_a_folder_that_cannot_be_made_is_named_with_the_fix(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"web-token \(.*--no-token"):
        kept_token(tmp_path / "file" / "web-token")
