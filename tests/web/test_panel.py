"""The control panel: what a browser is told, what it may set, and who may not."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

import osc_schema
from streamvace.control.commands import Commands
from streamvace.control.cue_list import CueList
from streamvace.control.cues import Cue
from streamvace.control.fades import CURVES
from streamvace.control.parameters import PROMPT, Parameters
from streamvace.osc.server import OscServer
from streamvace.records.frame import Frame
from streamvace.web.panel import MOST_BYTES, MOST_PANELS, Panel
from streamvace.web.preview import WebPreview
from tests.control.coerced import coerced
from tests.real_parts import require
from tests.web.devtools import browser

SCALE = "/streamvace/context_scale"
LOOKS = (Cue("blue", coerced({PROMPT: "neon blue", SCALE: 0.5})), Cue("red", coerced({PROMPT: "glossy red"})))


class Show:
    """A web server whose panel steers real parameters by a real OSC server."""

    def __init__(self) -> None:
        self.parameters = Parameters()
        commands = Commands(self.parameters, CueList(LOOKS))
        self.osc = OscServer(self.parameters, port=0, commands=commands)
        self.web = WebPreview(port=0)
        rows = self.parameters.schema.values()
        osc = self.osc
        self.web.set_panel(Panel(rows, osc.local_clients, osc.values, osc.cues, glides=commands.glides, curves=CURVES))

    def close(self) -> None:
        self.web.close()
        self.osc.close()


@pytest.fixture
def show() -> Iterator[Show]:
    running = Show()
    yield running
    running.close()


class Browser:
    """One panel's side of the WebSocket, and all it has been told."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.schema: list[dict[str, Any]] = []
        self.values: dict[str, Any] = {}
        self.cues: list[str] = []
        self.lines: list[str] = []

    async def set(self, address: str, *arguments: object) -> None:
        await self.socket.send_json({"address": address, "arguments": arguments})

    async def until(self, reached: Callable[[Browser], bool]) -> None:
        while not reached(self):
            said = await self.socket.receive_json(timeout=20)
            self.schema = said.get("schema", self.schema)
            self.values.update(said.get("values", {}))
            self.cues = said.get("cues", self.cues)
            self.lines += [said["line"]] if "line" in said else []


def browse(show: Show, act: Callable[[Browser], Coroutine[None, None, None]], **headers: str) -> None:
    async def go() -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{show.web.url}panel", headers=headers) as ws,
        ):
            await act(Browser(ws))

    asyncio.run(go())


def test_a_browser_is_told_every_parameter_its_value_and_the_cues(show: Show) -> None:
    async def act(browser: Browser) -> None:
        await browser.until(lambda told: bool(told.cues))
        assert [row["address"] for row in browser.schema] == list(osc_schema.by_address())
        assert browser.cues == ["blue", "red"]
        held = {row.address for row in osc_schema.load() if row.default is not None}
        assert set(browser.values) == held

    browse(show, act)


def test_what_it_sets_is_set_and_what_others_set_is_told(show: Show) -> None:
    async def act(browser: Browser) -> None:
        await browser.set(SCALE, 0.25)
        await browser.set("/streamvace/prompts", "a", 0.5, "b", 1)
        await browser.set("/streamvace/mask_source", "alpha")
        await browser.until(lambda told: told.values.get("/streamvace/mask_source") == "alpha")
        assert show.parameters.snapshot()[SCALE] == 0.25
        assert show.parameters.snapshot()["/streamvace/prompts"] == (("a", 0.5), ("b", 1.0))
        show.parameters.set("/streamvace/seed", (7,), "somebody else")
        await browser.until(lambda told: told.values["/streamvace/seed"] == 7)

    browse(show, act)


def test_cues_and_glides_work_from_the_panel(show: Show) -> None:
    async def act(browser: Browser) -> None:
        await browser.set("/streamvace/cue/go")
        await browser.until(lambda told: told.values.get(PROMPT) == "neon blue")
        await browser.set("/streamvace/cue/recall", "red", 2)
        await browser.until(lambda told: told.values.get(PROMPT) == "glossy red")
        await browser.set("/streamvace/cue/store", "mine")
        await browser.until(lambda told: told.cues == ["blue", "red", "mine"])
        await browser.set(f"{SCALE}/to", 2.0, 10, "ease")
        await browser.set("/streamvace/seed", 7)
        await browser.until(lambda told: told.values["/streamvace/seed"] == 7)
        assert show.parameters.on_the_way() == {SCALE: 2.0}
        assert browser.lines == []

    browse(show, act)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"address": SCALE, "arguments": [9]}, "takes one float 0..2, got 9, used 2"),
        ({"address": SCALE, "arguments": ["much"]}, "got 'much'"),
        ({"address": SCALE, "arguments": [{"a": 1}]}, "cannot encode"),
        ({"address": SCALE, "arguments": 1}, "the panel cannot set"),
        ({"address": "/streamvace/status/fps", "arguments": [1]}, "the panel cannot set"),
        ({"address": "/streamvace/subscribe", "arguments": [9001]}, "the panel cannot set"),
        ({"address": "/streamvace/*", "arguments": [1]}, "the panel cannot set"),
        ({"address": 5, "arguments": []}, "the panel cannot set"),
        ({"address": "/streamvace/cue/recall", "arguments": ["nope"]}, "there is no cue 'nope'"),
        ({}, "invalid message from the panel"),
        ([], "invalid message from the panel"),
    ],
)
def test_a_mistake_is_one_line_on_the_panel(show: Show, said: object, line: str) -> None:
    async def act(browser: Browser) -> None:
        await browser.socket.send_json(said)
        await browser.until(lambda told: bool(told.lines))
        assert line in browser.lines[0]

    browse(show, act)


@pytest.mark.parametrize("text", ["", "{", "[" * 5000, "null", '{"address": "/streamvace/seed", "arguments": [NaN]}'])
def test_nothing_that_is_sent_ends_the_panel(show: Show, text: str) -> None:
    async def act(browser: Browser) -> None:
        await browser.socket.send_str(text)
        await browser.set("/streamvace/seed", 11)
        await browser.until(lambda told: told.values.get("/streamvace/seed") == 11)

    browse(show, act)


def test_a_message_too_long_ends_one_panel_and_no_other(show: Show) -> None:
    async def act(browser: Browser) -> None:
        await browser.socket.send_str("x" * (MOST_BYTES + 1))
        while (await browser.socket.receive(timeout=20)).type is not aiohttp.WSMsgType.CLOSE:
            pass

    browse(show, act)
    test_a_browser_is_told_every_parameter_its_value_and_the_cues(show)


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:1", "null", "http://localhost"])
def test_a_page_of_another_site_may_not_steer(show: Show, origin: str) -> None:
    async def act(browser: Browser) -> None:
        raise AssertionError("it was let in")

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        browse(show, act, Origin=origin)
    assert refused.value.status == 403


def test_our_own_page_may(show: Show) -> None:
    async def act(browser: Browser) -> None:
        await browser.until(lambda told: bool(told.cues))

    browse(show, act, Origin=show.web.url.rstrip("/"))


def test_there_is_an_end_to_the_number_of_panels(show: Show) -> None:
    async def go() -> None:
        async with aiohttp.ClientSession() as session:
            sockets = [await session.ws_connect(f"{show.web.url}panel") for _ in range(MOST_PANELS)]
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"{show.web.url}panel")
            assert refused.value.status == 503
            for socket in sockets:
                await socket.close()

    asyncio.run(go())


def test_before_the_show_there_is_nothing_to_steer() -> None:
    async def go() -> None:
        async with aiohttp.ClientSession() as session, session.get(f"{web.url}panel") as answer:
            assert answer.status == 503

    web = WebPreview(port=0)
    try:
        asyncio.run(go())
    finally:
        web.close()


def test_a_real_browser_makes_a_control_for_every_parameter(show: Show, tmp_path: Path) -> None:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
    require("chromium", bool(chromium), "apt-get install chromium")
    done = threading.Event()

    def play() -> None:  # the browser's virtual time stands still while a stream is silent
        while not done.wait(0.04):
            show.web.publish(Frame(np.zeros((48, 64, 4), np.uint8), 0, "test", 0))

    player = threading.Thread(target=play)
    player.start()
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}"]
    command = [chromium, *options, "--virtual-time-budget=4000", "--dump-dom", show.web.url]
    try:
        page = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.decode()
    finally:
        done.set()
        player.join()
    for row in osc_schema.load():
        if row.access == "write" and row.address != PROMPT and row.group != "cues":
            assert f"\n{row.address}" in page, "the help of its control names the address"
    assert page.count('class="control') == sum(
        row.access == "write" and row.address != PROMPT and row.group != "cues" for row in osc_schema.load()
    )
    assert ">blue</button>" in page


HANDS = """
  window.all = where => [...document.querySelectorAll(where)];
  window.box = label => all("input").find(each => each.ariaLabel === label);
  window.press = (where, name) => all(where + " button").find(each => each.textContent === name).click();
  window.drag = (label, value) => { box(label).value = value; box(label).oninput(); box(label).onchange?.(); };
  window.enter = (words, key = new KeyboardEvent("keydown", {key: "Enter"})) => {
    document.getElementById("prompt").value = words;
    document.getElementById("prompt").dispatchEvent(key);
  };
"""


def test_a_hand_in_a_real_browser_steers_the_show(show: Show, tmp_path: Path) -> None:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
    require("chromium", bool(chromium), "apt-get install chromium")

    def held(address: str) -> object:
        return show.parameters.snapshot()[address]

    async def becomes(address: str, value: object) -> None:
        for _ in range(800):
            if held(address) == value:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{address} is {held(address)!r}, wanted {value!r}")

    async def go() -> None:
        async with browser(chromium, show.web.url, tmp_path / "profile") as page:
            await page.until("document.querySelectorAll('.control').length > 20")
            await page.run(HANDS)
            await page.run("enter('a red sphere')")
            await becomes(PROMPT, "a red sphere")
            await page.run("drag('Context scale', 0.5)")
            await becomes(SCALE, 0.5)
            await page.run("box('Mask invert').click()")
            await becomes("/streamvace/mask_invert", True)
            await page.run("press('.segments', 'slerp')")
            await becomes("/streamvace/prompt_blend", "slerp")
            await page.run("all('.row input')[0].value = 'blue glass'; all('.row input')[0].onchange()")
            await becomes("/streamvace/prompts", (("blue glass", 1.0),))
            await page.run("press('#cue-list', 'blue')")
            await becomes(PROMPT, "neon blue")
            await page.run("document.getElementById('cue-name').value = 'mine'; press('#store', 'Store')")
            await page.until("all('#cue-list button').some(each => each.textContent === 'mine')")
            await page.run("press('#glide-seconds', '8 s'); drag('Context scale', 2)")
            await page.run("box('Seed').value = 7; box('Seed').onchange()")
            await becomes("/streamvace/seed", 7)
            assert show.parameters.on_the_way() == {SCALE: 2.0}
            show.parameters.set("/streamvace/seed", (1234,), "somebody else")
            await page.until("box('Seed').value === '1234'")
            assert await page.run("document.getElementById('line').hidden")

    asyncio.run(go())
