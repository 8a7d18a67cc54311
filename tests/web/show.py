"""A web page whose panel steers real parameters by a real OSC server, and the two ways to hold it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import aiohttp
import numpy as np

import osc_schema
from streamvace.control.commands import Commands
from streamvace.control.cue_list import CueList
from streamvace.control.cues import Cue
from streamvace.control.fades import CURVES
from streamvace.control.parameters import PROMPT, Parameters
from streamvace.control.refusals import Refusals
from streamvace.osc.server import OscServer
from streamvace.records.frame import Frame
from streamvace.telemetry.reporter import Reporter
from streamvace.web.cue_values import CueValues
from streamvace.web.news import Beat
from streamvace.web.panel import Panel
from streamvace.web.preview import STATIC, Routes, WebPreview
from tests.control.coerced import coerced
from tests.patience import PATIENCE_S
from tests.web.devtools import LOOK_S, Browser, Page

SCALE = "/streamvace/context_scale"
LOOKS = (Cue("blue", coerced({PROMPT: "neon blue", SCALE: 0.5})), Cue("red", coerced({PROMPT: "glossy red"})))


class Show:
    """The server side."""

    def __init__(self, port: int = 0, more: Sequence[osc_schema.Parameter] = (), parts: Sequence[Routes] = ()) -> None:
        """more: rows that only the page knows. parts: what else the page's server serves."""
        self.parameters = Parameters()
        commands = Commands(self.parameters, CueList(LOOKS))
        self.refusals = Refusals(self.parameters, Reporter(lambda line: None))
        self.osc = OscServer(self.parameters, port=0, commands=commands, refusals=self.refusals)
        self.lacking: dict[str, object] = {}
        self.midi: dict[str, object] = {}
        self.live: dict[str, Any] = {}
        self.sound: dict[str, float] = {}
        self.waiting: dict[str, Any] = {}
        self.beat = Beat(0.0, 0.0, running=False, at=0.0)
        self.cues = commands.cues
        self.web = WebPreview(port=port, parts=(*parts, CueValues(commands.cues.values)))
        rows = (*self.parameters.schema.values(), *more)
        osc = self.osc
        self.panel = Panel(
            rows,
            osc.local_clients,
            osc.values,
            osc.cues,
            osc.arrivals,
            self.refusals.rows,
            commands.cues.tiles,
            glides=commands.glides,
            curves=CURVES,
            lacking=lambda: self.lacking,
            midi=lambda: self.midi,
            live=lambda: self.live,
            sound=lambda: self.sound,
            waiting=lambda: self.waiting,
            beat=lambda: self.beat,
        )
        self.web.set_panel(self.panel)
        self.web.set_stats(lambda: {"state": "running", "fps": 24.0})

    def close(self) -> None:
        self.web.close()
        self.osc.close()


def grey(level: int, size: tuple[int, int] = (64, 48)) -> Frame:
    pixels = np.full((size[1], size[0], 4), level, np.uint8)
    return Frame(pixels, 0, "test", level)


class Client:
    """One page's side of the WebSocket, and all it has been told."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.panel: dict[str, Any] = {}
        self.values: dict[str, Any] = {}
        self.cues: list[str] = []
        self.lines: list[str] = []
        self.arrivals: list[dict[str, Any]] = []
        self.told: dict[str, Any] = {}
        self.pictures: list[bytes] = []

    async def set(self, address: str, *arguments: object) -> None:
        await self.socket.send_json({"address": address, "arguments": arguments})

    async def until(self, reached: Callable[[Client], bool]) -> None:
        """Listen until this holds. The show speaks even when nothing changes, so silence alone would end no test."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while not reached(self):
            assert asyncio.get_running_loop().time() < deadline, f"never told; the newest: {self.told!r:.500}"
            await self.hear()

    async def end(self) -> aiohttp.WSMessage:
        """Listen until the server closes the connection; its last message."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while (message := await self.socket.receive(timeout=PATIENCE_S)).type is not aiohttp.WSMsgType.CLOSE:
            assert asyncio.get_running_loop().time() < deadline, "it stays open"
        return message

    async def hear(self) -> None:
        """Take in the next message."""
        message = await self.socket.receive(timeout=PATIENCE_S)
        if message.type is aiohttp.WSMsgType.BINARY:
            self.pictures.append(message.data)
            return
        said = message.json()
        self.told |= said
        self.panel = said.get("panel", self.panel)
        self.values.update(said.get("values", {}))
        self.cues = said.get("cues", self.cues)
        self.lines += [said["line"]] if "line" in said else []
        self.arrivals += said.get("arrivals", [])


def connect(web: WebPreview, act: Callable[[Client], Coroutine[None, None, None]], **headers: str) -> None:
    """Open the WebSocket of a page and act on it."""

    async def go() -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{web.url}page", headers=headers) as socket,
        ):
            await act(Client(socket))

    asyncio.run(go())


HANDS = """
  window.all = where => [...document.querySelectorAll(where)];
  window.by = id => document.getElementById(id);
  window.line = name => {
    const found = all(`.control[data-address="/streamvace/${name}"]`).find(each => each.checkVisibility());
    found?.scrollIntoView({block: "nearest"});
    return found;
  };
  window.box = name => line(name).querySelector("input, select, textarea");
  window.thumb = name => line(name).querySelector("[role=slider]");
  window.give = (name, value) => { box(name).value = value; box(name).onchange(); };
  window.press = (where, name) => all(where + " button").find(each => each.textContent === name).click();
  window.middle = element => {
    const at = element.getBoundingClientRect();
    return [at.x + at.width / 2, at.y + at.height / 2];
  };
"""


CLOCK = """
  (() => {
    const later = window.setTimeout.bind(window), stop = window.clearTimeout.bind(window), real = Date.now.bind(Date);
    const pending = new Map();
    let ahead = 0;
    const now = () => real() + ahead;
    window.setTimeout = (act, ms = 0, ...more) => {
      const id = later(() => { pending.delete(id); act(...more); }, ms);
      pending.set(id, { due: now() + ms, act: () => act(...more) });
      return id;
    };
    window.clearTimeout = id => { pending.delete(id); stop(id); };
    Date.now = now;
    window.pass = ms => {
      ahead += ms;
      for (const [id, { due, act }] of [...pending]) if (due <= now()) { clearTimeout(id); act(); }
    };
  })();
"""
"""pass(ms): so much time goes by in the page at once, with every timer that ends in it."""

WRITER = "somebody else"


def constant(script: str, name: str) -> int:
    """A number that a script of the page names."""
    return int(re.findall(rf"\b{name} = (\d+)", STATIC.joinpath(script).read_text("utf-8"))[0])


HAND_MS = constant("store.js", "HAND_MS")
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
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while (held := self.show.parameters.snapshot()[address]) != value:
            assert asyncio.get_running_loop().time() < deadline, f"{address} is {held!r}, wanted {value!r}"
            await asyncio.sleep(LOOK_S)

    async def clicks(self, element: str, *, shift: bool = False, button: str = "left") -> None:
        """Click the middle of an element with the mouse. element: an expression."""
        await self.drags(element, 0, shift=shift, button=button)

    async def drags(self, element: str, by: float, *, shift: bool = False, button: str = "left") -> None:
        """Take hold of the middle of an element with the mouse, move by so many pixels, and let go."""
        x, y = await self.does(f"middle({element})")
        mouse = {"y": y, "button": button, "modifiers": 8 if shift else 0, "clickCount": 1}
        for kind, at in (("mousePressed", x), *((("mouseMoved", x + by),) if by else ()), ("mouseReleased", x + by)):
            await self.page.ask("Input.dispatchMouseEvent", type=kind, x=at, **mouse)

    async def types(self, element: str, words: str, end: str = "Enter") -> None:
        """Write into a box in place of what is there, and end with a key; without one the box keeps the focus."""
        await self.does(f"{element}.focus(); {element}.select()")
        await self.page.ask("Input.insertText", text=words)
        if end:
            await self.page.key(end, {"Enter": 13, "Escape": 27}[end], "\r" if end == "Enter" else "")

    async def everything_has_arrived(self) -> None:
        """All that was done before this is known to the show: the page says one thing after the other."""
        self.marks += 1
        await self.does(f"give('seed', {self.marks})")
        await self.becomes("/streamvace/seed", self.marks)

    async def hears(self, address: str, value: object) -> None:
        """Others set a value, the page has been told, and has had time to show it wherever it may."""
        self.marks += 1
        self.show.parameters.set(address, (value,), WRITER)
        self.show.osc.publish("/streamvace/status/cue_next", f"mark {self.marks}")
        await self.sees(f"by('next').textContent === 'mark {self.marks}'")
        await self.does(f"pass({HAND_MS + 100})")


def in_a_browser(
    tabs: Browser, show: Show, act: Callable[[Hand], Coroutine[None, None, None]], layout: str = "stage"
) -> None:
    """Open a layout of the show's page in a tab, wait until it is complete, and act on it."""

    async def go() -> None:
        async with tabs.open(f"{show.web.url}{layout}", CLOCK) as page:
            await page.until("document.querySelectorAll('.control').length > 20")
            await page.run(HANDS)
            await act(Hand(show, page))

    asyncio.run(go())
