"""The one WebSocket of a page: pictures, figures and panel.

To the page: pictures as binary messages (`streamvace.web.pictures`), everything else as JSON (`streamvace.web.news`),
`{"line": "..."}` for a complaint, and first `{"here": true}` on the machine of the show. From the page, JSON:

    {"watch": ["output", "mask"]}                           the views that it shows
    {"drawn": {"output": 2, "control": 1}}                  it has drawn so many more pictures: send the next
    {"address": "/streamvace/seed", "arguments": [7]}       set a parameter

and the MIDI of its browser (`streamvace.web.page_midi`).
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from aiohttp import WSCloseCode, WSMsgType, web

from streamvace.system.network import is_this_machine
from streamvace.web.hosts import origin_host
from streamvace.web.jpeg_feed import JpegFeed
from streamvace.web.news import TICK_S, Topic, message
from streamvace.web.page_midi import PageMidi
from streamvace.web.panel import Name, Panel
from streamvace.web.pictures import PictureSender

MOST_PAGES = 32
"""Open pages; further ones are told so and closed."""
MOST_BYTES = 1 << 16
"""Bytes of a message: enough for eight prompts of maximum length."""

ALIVE_S = 2.0
"""The longest silence towards a page, even while nothing changes: six seconds of it count as the end of the show."""

_HEARTBEAT_S = 20.0
_MOST_LINES = 16


class PageSockets:
    """Every open page. Belongs to the web server's event loop."""

    def __init__(self, views: Mapping[str, JpegFeed], topics: Sequence[Topic]) -> None:
        """views: by the names that pages use. topics: read at each look, so rows may be added later."""
        self.panel: Panel | None = None
        """What sets parameters; None before the show."""
        self._views = views
        self._topics = topics
        self._pages: set[_Page] = set()

    def __len__(self) -> int:
        """The number of open pages."""
        return len(self._pages)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one page until it disconnects."""
        origin = request.headers.get("Origin")
        if origin is not None and origin_host(origin) != request.host.lower():
            # Browsers let a page of any site open a WebSocket here: only our own page may set values.
            raise web.HTTPForbidden(text=f"only this server's own page may connect, not one of {origin[:80]!r}\n")
        # JPEGs do not shrink, and compressing the rest would cost more than the bytes do on a local network.
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=MOST_BYTES, compress=False)
        await socket.prepare(request)
        if len(self._pages) >= MOST_PAGES:
            reason = f"{MOST_PAGES} pages are open already; close one of them"
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=reason.encode())
            return socket
        remote = request.remote or ""
        host = "" if is_this_machine(remote) else remote
        page = _Page(socket, self._views, self._topics, lambda: self.panel, host)
        self._pages.add(page)
        try:
            await page.serve()
        finally:
            self._pages.discard(page)
        return socket

    async def hang_up(self) -> None:
        """Disconnect every page at the end of the show."""
        await asyncio.gather(*(page.hang_up() for page in tuple(self._pages)))


class _Page:
    """One connected page."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        views: Mapping[str, JpegFeed],
        topics: Sequence[Topic],
        panel: Callable[[], Panel | None],
        host: str,
    ) -> None:
        """host: where the browser runs; empty for this machine."""
        self._socket = socket
        self._host = host
        self._views = views
        self._topics = topics
        self._panel = panel
        self._hand: tuple[Panel, Name] | None = None
        """The panel, and this page's name there, from its first command on."""
        self._lines: deque[str] = deque(maxlen=_MOST_LINES)
        """Complaints not told yet; a full queue drops its oldest."""
        self._watched: dict[str, tuple[PictureSender, asyncio.Task[None]]] = {}
        self._midi: PageMidi | None = None
        """Its devices, from the first on."""

    async def serve(self) -> None:
        """Run until the page disconnects."""
        both = [asyncio.ensure_future(self._listen()), asyncio.ensure_future(self._tell())]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if self._hand is not None:
                panel, name = self._hand
                panel.close(name)
            if self._midi is not None:
                self._midi.close()
            for task in (*both, *(sending for _, sending in self._watched.values())):
                task.cancel()
                with suppress(asyncio.CancelledError, ConnectionError):  # the page is gone
                    await task

    async def hang_up(self) -> None:
        """Disconnect without waiting for the page."""
        with suppress(ConnectionError, asyncio.TimeoutError):
            await asyncio.wait_for(
                self._socket.close(code=WSCloseCode.GOING_AWAY, message=b"the show is over", drain=False), 0.5
            )

    async def _listen(self) -> None:
        async for said in self._socket:
            if said.type is WSMsgType.TEXT:
                self._handle(said.data)

    def _handle(self, text: str) -> None:
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            self._lines.append("invalid message from the page")
        elif "drawn" in said:
            self._drawn(said["drawn"])
        elif "watch" in said:
            self._watch(said["watch"])
        elif "midi" in said or "midi_devices" in said:
            self._play(said)
        else:
            self._steer(said)

    def _steer(self, said: Mapping[str, object]) -> None:
        if self._hand is None and (panel := self._panel()) is not None:
            self._hand = (
                panel,
                panel.open(partial(_from_thread, asyncio.get_running_loop(), self._lines.append), self._host),
            )
        if self._hand is None:
            self._lines.append("the show has not started; try again")
            return
        panel, name = self._hand
        if line := panel.handle(name, said):
            self._lines.append(line)

    def _play(self, said: Mapping[str, object]) -> None:
        panel = self._panel()
        if self._midi is None and panel is not None and panel.door is not None:
            self._midi = PageMidi(panel.door, here=not self._host)
        self._lines.extend(["the show takes no MIDI yet"] if self._midi is None else self._midi.handle(said))

    def _drawn(self, counts: object) -> None:
        for view, pictures in counts.items() if isinstance(counts, dict) else ():
            if view in self._watched and isinstance(pictures, int) and pictures > 0:
                self._watched[view][0].drawn(pictures)

    def _watch(self, names: object) -> None:
        wanted = {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()
        for name in self._watched.keys() - wanted:
            self._watched.pop(name)[1].cancel()
        for name in (wanted & self._views.keys()) - self._watched.keys():
            sender = PictureSender(name, self._views[name], self._socket.send_bytes)
            self._watched[name] = sender, asyncio.ensure_future(sender.run())

    async def _tell(self) -> None:
        """Send every topic, and again what changes."""
        told: dict[str, object] = {}
        quiet_s = 0.0
        await self._socket.send_str(message({"here": not self._host}))
        while True:
            news: dict[str, object] = {}
            for topic in self._topics:
                before, now = told.get(topic.name), topic.value()
                if now is not before and (change := topic.news(before, now)) is not None:
                    news[topic.name] = change
                told[topic.name] = now
            if self._lines:
                news["line"] = self._lines.popleft()
            if self._midi is not None and (told_devices := self._midi.news()):
                news["midi_out"] = told_devices
            quiet_s = 0.0 if news else quiet_s + TICK_S
            if news or quiet_s >= ALIVE_S:
                quiet_s = 0.0
                await self._socket.send_str(message(news))
            await asyncio.sleep(TICK_S)


def _from_thread(loop: asyncio.AbstractEventLoop, act: Callable[[str], None], line: str) -> None:
    with suppress(RuntimeError):  # the server is closing
        loop.call_soon_threadsafe(act, line)
