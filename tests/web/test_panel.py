"""The control panel: what a browser is told, what it may set, and who may not."""

from __future__ import annotations

import asyncio
import re
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
from streamvace.web.preview import STATIC, WebPreview
from tests.control.coerced import coerced
from tests.real_parts import require
from tests.web.devtools import Page, browser

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


def test_a_panel_that_is_closed_makes_room_for_another(show: Show) -> None:
    for _ in range(2 * MOST_PANELS):
        test_a_browser_is_told_every_parameter_its_value_and_the_cues(show)


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


WRITER = "somebody else"
HAND_MS = int(re.findall(r"HAND_MS = (\d+)", STATIC.joinpath("panel.js").read_text("utf-8"))[0])
"""Longer ago than this, a control was not touched by the hand."""


class Hand:
    """A real browser's page with a hand on it, and the show that it steers."""

    def __init__(self, show: Show, page: Page) -> None:
        self.show, self.page = show, page
        self.marks = 0

    async def does(self, script: str) -> Any:
        return await self.page.run(script)

    async def sees(self, script: str) -> None:
        await self.page.until(script)

    async def becomes(self, address: str, value: object) -> None:
        held = None
        for _ in range(800):
            held = self.show.parameters.snapshot()[address]
            if held == value:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{address} is {held!r}, wanted {value!r}")

    async def everything_has_arrived(self) -> None:
        """All that was done before this is known to the show: the page says one thing after the other."""
        self.marks += 1
        await self.does(f"box('Seed').value = {self.marks}; box('Seed').onchange()")
        await self.becomes("/streamvace/seed", self.marks)

    async def hears(self, address: str, value: object) -> None:
        """Others set a value, the page has been told, and has had time to show it wherever it may."""
        self.marks += 1
        self.show.parameters.set(address, (value,), WRITER)
        self.show.parameters.set("/streamvace/mask/grow", (self.marks,), WRITER)
        await self.sees(f"box('Mask grow').value === '{self.marks}'")
        await self.does(f"new Promise(done => setTimeout(done, {HAND_MS + 100}))")


def in_a_browser(show: Show, folder: Path, act: Callable[[Hand], Coroutine[None, None, None]]) -> None:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
    require("chromium", bool(chromium), "apt-get install chromium")

    async def go() -> None:
        async with browser(chromium, show.web.url, folder / "profile") as page:
            await page.until("document.querySelectorAll('.control').length > 20")
            await page.run(HANDS)
            await act(Hand(show, page))

    asyncio.run(go())


def test_a_hand_in_a_real_browser_steers_the_show(show: Show, tmp_path: Path) -> None:
    async def act(hand: Hand) -> None:
        await hand.does("enter('a red sphere')")
        await hand.becomes(PROMPT, "a red sphere")
        await hand.does("for (const value of [0.1, 0.9, 0.5]) drag('Context scale', value)")
        await hand.becomes(SCALE, 0.5)
        await hand.does("box('Mask invert').click()")
        await hand.becomes("/streamvace/mask_invert", True)
        await hand.does("press('.segments', 'slerp')")
        await hand.becomes("/streamvace/prompt_blend", "slerp")
        await hand.sees("all('.segments .on').some(each => each.textContent === 'slerp')")
        await hand.does("press('#cue-list', 'blue')")
        await hand.becomes(PROMPT, "neon blue")
        await hand.does("document.getElementById('cue-name').value = 'mine'; press('#store', 'Store')")
        await hand.sees("all('#cue-list button').some(each => each.textContent === 'mine')")
        await hand.does("press('#glide-seconds', '8 s'); drag('Context scale', 2)")
        await hand.does("box('Seed').value = 7; box('Seed').onchange()")
        await hand.becomes("/streamvace/seed", 7)
        assert show.parameters.on_the_way() == {SCALE: 2.0}
        show.parameters.set("/streamvace/seed", (1234,), WRITER)
        await hand.sees("box('Seed').value === '1234'")
        assert await hand.does("document.getElementById('line').hidden")

    in_a_browser(show, tmp_path, act)


def test_what_is_being_typed_stays_whatever_others_set(show: Show, tmp_path: Path) -> None:
    async def act(hand: Hand) -> None:
        for box, address, others in (
            ("document.getElementById('prompt')", PROMPT, "neon green"),
            ("all('.row input')[0]", "/streamvace/prompts", (("neon green", 1.0),)),
        ):
            await hand.does(f"{box}.focus(); {box}.value = 'half a thou'")
            await hand.hears(address, others)
            assert await hand.does(f"{box}.value") == "half a thou"
            await hand.does(f"{box}.blur()")
        show.parameters.set(PROMPT, ("glass",), WRITER)
        await hand.sees("document.getElementById('prompt').value === 'glass'")

    in_a_browser(show, tmp_path, act)


def test_a_slider_under_the_hand_does_not_move_by_itself(show: Show, tmp_path: Path) -> None:
    async def act(hand: Hand) -> None:
        await hand.does("window.clock = Date.now(); Date.now = () => clock; drag('Context scale', 0.5)")
        await hand.becomes(SCALE, 0.5)
        await hand.hears(SCALE, 1.5)
        assert await hand.does("box('Context scale').value") == "0.5"
        await hand.does(f"clock += {HAND_MS + 1}")
        await hand.hears(SCALE, 1.25)
        assert await hand.does("box('Context scale').value") == "1.25"

    in_a_browser(show, tmp_path, act)


def test_a_value_out_of_range_comes_back_as_what_is_held(show: Show, tmp_path: Path) -> None:
    show.parameters.set(SCALE, (2.0,), WRITER)

    async def act(hand: Hand) -> None:
        number = "all('input[type=number]').find(each => each.ariaLabel === 'Context scale')"
        await hand.sees(f"{number}.value === '2'")
        await hand.does(f"{number}.value = '9'; {number}.onchange()")
        await hand.sees("document.getElementById('line').textContent.includes('got 9, used 2')")
        await hand.sees(f"{number}.value === '2'")

    in_a_browser(show, tmp_path, act)


def test_a_mix_of_prompts_is_written_and_taken_out_box_by_box(show: Show, tmp_path: Path) -> None:
    mix = "/streamvace/prompts"

    async def act(hand: Hand) -> None:
        await hand.does("window.boxes = () => all('.row input[type=text]')")
        await hand.does("window.write = (i, words) => { boxes()[i].value = words; boxes()[i].onchange(); }")
        await hand.does("write(0, ' blue glass ')")
        await hand.becomes(mix, (("blue glass", 1.0),))
        await hand.sees("boxes().length === 2")
        await hand.does("write(1, 'red clay')")
        await hand.becomes(mix, (("blue glass", 1.0), ("red clay", 1.0)))
        await hand.does("write(0, '')")
        await hand.becomes(mix, (("red clay", 1.0),))
        await hand.sees("boxes()[0].value === 'red clay'")
        await hand.does("write(0, '')")
        await hand.becomes(mix, ())

    in_a_browser(show, tmp_path, act)


def test_what_cannot_be_taken_back_is_asked_for_twice(show: Show, tmp_path: Path) -> None:
    """Quitting by two clicks, deleting a cue by a click with Alt, sending a prompt by Enter without Shift."""

    async def act(hand: Hand) -> None:
        await hand.does("window.leave = all('button').find(each => each.textContent === 'Quit'); leave.click()")
        await hand.everything_has_arrived()
        assert await hand.does("leave.textContent") == "Sure?"
        assert show.parameters.snapshot().fired["/streamvace/quit"] == 0
        await hand.does("leave.click()")
        await hand.everything_has_arrived()
        assert show.parameters.snapshot().fired["/streamvace/quit"] == 1

        await hand.does("document.getElementById('cue-name').value = 'mine'; press('#store', 'Store')")
        await hand.sees("all('#cue-list button').some(each => each.textContent === 'mine')")
        await hand.does("press('#cue-list', 'mine')")
        await hand.everything_has_arrived()
        assert show.osc.cues() == ("blue", "red", "mine")
        alt = "new MouseEvent('click', {altKey: true})"
        await hand.does(f"all('#cue-list button').find(each => each.textContent === 'mine').dispatchEvent({alt})")
        await hand.sees("all('#cue-list button').length === 2")

        held = show.parameters.snapshot()[PROMPT]
        await hand.does("enter('two', new KeyboardEvent('keydown', {key: 'Enter', shiftKey: true}))")
        await hand.everything_has_arrived()
        assert show.parameters.snapshot()[PROMPT] == held

    in_a_browser(show, tmp_path, act)
