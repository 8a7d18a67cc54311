"""The web page of a show: the live picture, its figures, the control panel and hints, on a local address."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from importlib.resources import files
from pathlib import PurePath
from typing import Protocol

from aiohttp import web

from streamvace.records.frame import Frame
from streamvace.system.connections import Connections, Report, unreported
from streamvace.system.network import AllowList, own_address, port_refusal
from streamvace.system.server_log import report_loop_errors, server_log
from streamvace.web.hosts import host_allowed, origin_allowed
from streamvace.web.jpeg_feed import Count, JpegFeed
from streamvace.web.news import CALM_S, Topic, finite
from streamvace.web.page_socket import PageSockets
from streamvace.web.panel import Panel
from streamvace.web.token import Token

Stats = Mapping[str, object]


class Routes(Protocol):
    """A part of the server with routes of its own."""

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Add the routes. Called once, on the server's thread."""


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

STATIC = files("streamvace.web").joinpath("static")
_TYPES = {".css": "text/css", ".js": "text/javascript"}
PARTS = {part.name: _TYPES[suffix] for part in STATIC.iterdir() if (suffix := PurePath(part.name).suffix) in _TYPES}
"""File of the page -> content type."""
LAYOUTS = ("", "stage", "edit", "phone")
"""Addresses of the page; without one the width of the browser chooses the layout."""
VIEWS = ("control", "mask")
"""What the model sees: shown on the page while it is open there."""

MOST_STREAMS = 16
"""Live pictures served at once to programs other than the page; further requests get a 503."""

NO_TOKEN = """This show is open to the network, and its page needs the address with the token.
streamvace prints it at the start: http://...:PORT/?token=...
"""

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; connect-src 'self'; "
    "style-src 'self'; script-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
"""Of every answer, errors included."""


class WebPreview:
    """A sink whose frames are watched in a browser, with its own server thread.

    Routes, all but the last read-only: `/` the page and its parts, `/stream.mjpg` the live picture for OBS and other
    programs, `/control.mjpg` and `/mask.mjpg` what the model sees, `/frame.jpg` the newest frame (503 before the
    first), `/cue/PICTURE.jpg` the picture of a cue, `/stats.json` the figures, `/metrics` all of them for Prometheus,
    `/page` the page's WebSocket, which carries all that the page shows (`streamvace.web.page_socket`). `parts` add
    theirs: uploads, the media folder, sources, recordings.

    The page has a place for these keys of the stats and lists all others: `state` (text), `fps`, `latency_ms`,
    `chunk_ms`, `chunks`, `prompt`, `osc_port`.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8088,
        hints: Sequence[tuple[str, str]] = (),
        *,
        parts: Sequence[Routes] = (),
        token: Token | None = None,
        allow: AllowList | None = None,
        report: Report = unreported,
    ) -> None:
        """port: 0 takes any free port. hints: (what it does, the line to send). parts: what else is served. token:
        without it nothing is answered; None: everyone who reaches the port is. allow: whose connections are taken;
        None: everyone's. report: takes what clients do wrong.

        Raises UserError for a taken port.
        """
        self.name = "web"
        self.host = host
        self.port = port
        """The bound port."""
        self.streams = 0
        """MJPEG streams being served now."""
        self.feed = JpegFeed("web")
        self.views = {name: JpegFeed(f"web {name}") for name in VIEWS}
        self._stats: Callable[[], Stats] = dict
        said = [{"what": what, "line": line} for what, line in hints]
        self._topics = [Topic("hints", lambda: said), Topic("stats", lambda: self._stats(), CALM_S)]
        self._pages = PageSockets({"output": self.feed, **self.views}, self._topics)
        self._metrics: Callable[[], bytes] = bytes
        self._cue_picture: Callable[[str], bytes | None] = lambda name: None
        self._report = report
        self._parts = parts
        self._token = token
        self._connections = Connections("web", report, allow or AllowList())
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._started: Future[int] = Future()
        self._thread = threading.Thread(target=self._serve, name="web preview", daemon=True)
        self._thread.start()
        try:
            self.port = self._started.result()
        except OSError as error:
            self._thread.join()
            raise port_refusal(error, "web port", host, port, "--web-port") from error

    @property
    def url(self) -> str:
        """The address for a browser on this machine."""
        return self._at("127.0.0.1" if self._everywhere else self.host)

    @property
    def links(self) -> tuple[str, ...]:
        """Complete addresses of the page, with the token: on this machine, then from others, if they can reach it."""
        outer = own_address() if self._everywhere else ""
        query = "" if self._token is None else f"?token={self._token.text}"
        return tuple(f"{address}{query}" for address in (self.url, self._at(outer) if outer else "") if address)

    @property
    def _everywhere(self) -> bool:
        return self.host in ("0.0.0.0", "::", "")

    def _at(self, host: str) -> str:
        return f"http://[{host}]:{self.port}/" if ":" in host else f"http://{host}:{self.port}/"

    def set_stats(self, read: Callable[[], Stats]) -> None:
        """read: returns the current figures; called on the server's thread, so it must not block."""
        self._stats = read

    def set_panel(self, panel: Panel) -> None:
        """Enable the control panel."""
        self._pages.panel = panel
        self._topics.extend(panel.topics)

    def figures(self) -> dict[str, int]:
        """Open pages, MJPEG streams and connections; connections closed by a limit; frames that slow pages left out."""
        feeds = (self.feed, *self.views.values())
        return {
            "web_pages": len(self._pages),
            "web_streams": self.streams,
            "web_connections": len(self._connections),
            "web_refused": self._connections.refused,
            "web_skipped": sum(feed.skipped for feed in feeds),
        }

    def set_metrics(self, read: Callable[[], bytes]) -> None:
        """read: returns the text for Prometheus; called on the server's thread, so it must not block."""
        self._metrics = read

    def set_cue_pictures(self, read: Callable[[str], bytes | None]) -> None:
        """read: the JPEG of a picture's name, which comes from the network; None without one."""
        self._cue_picture = read

    def publish(self, frame: Frame) -> None:
        """Show a frame. Any thread."""
        self.feed.publish(frame)

    def close(self) -> None:
        """Disconnect every browser and free the port. Idempotent."""
        if self._thread.is_alive():
            with suppress(RuntimeError):  # the loop has just ended
                self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(10)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._run())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()

    async def _run(self) -> None:
        app = web.Application(middlewares=[self._guard])
        for layout in LAYOUTS:
            app.router.add_get(f"/{layout}", self._page)
        for part in PARTS:
            app.router.add_get(f"/{part}", self._part)
        app.router.add_get("/page", self._pages.serve)
        for path, feed in {"stream": self.feed, **self.views}.items():
            app.router.add_get(f"/{path}.mjpg", partial(self._stream, feed))
        app.router.add_get("/frame.jpg", self._frame)
        app.router.add_get("/cue/{name}.jpg", self._cue)
        app.router.add_get("/stats.json", self._stats_json)
        app.router.add_get("/metrics", self._metrics_text)
        for more in self._parts:
            more.add_to(app.router)
        app.on_response_prepare.append(_add_headers)
        report_loop_errors(self._loop, "web", self._report)
        # A watcher never disconnects by itself, so closing does not wait for it.
        logger = server_log("web", self._report)
        runner = web.AppRunner(app, access_log=None, logger=logger, shutdown_timeout=0.5)
        await runner.setup()
        assert runner.server is not None
        try:
            factory = self._connections.limited(runner.server)
            server = await self._loop.create_server(factory, self.host, self.port)
        except OSError as error:
            self._started.set_exception(error)
        else:
            self._started.set_result(server.sockets[0].getsockname()[1])
            await self._stopping.wait()
            server.close()
        finally:
            await self._pages.hang_up()
            await runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not host_allowed(request.host, self.host):
            raise web.HTTPForbidden(
                text=f"this server does not answer to {request.host!r}; use localhost, or with --host the IP address\n"
            )
        if self._token is not None and not self._token.carried_by(request):
            raise web.HTTPUnauthorized(text=NO_TOKEN)
        if not origin_allowed(request):
            raise web.HTTPForbidden(text="only this server's own page may do that\n")
        with self._connections.serving(request.transport):
            return await handler(request)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        page = web.Response(text=(STATIC / "page.html").read_text(encoding="utf-8"), content_type="text/html")
        if self._token is not None:
            self._token.remember(request, page)
        return page

    async def _part(self, request: web.Request) -> web.StreamResponse:
        part = request.path.removeprefix("/")
        return web.Response(text=(STATIC / part).read_text(encoding="utf-8"), content_type=PARTS[part])

    async def _frame(self, request: web.Request) -> web.StreamResponse:
        if self.feed.newest() is None:
            raise web.HTTPServiceUnavailable(text="no picture yet\n")
        _, jpeg = await self.feed.after(lambda count: True)
        return web.Response(body=jpeg, content_type="image/jpeg")

    async def _cue(self, request: web.Request) -> web.StreamResponse:
        jpeg = await asyncio.to_thread(self._cue_picture, request.match_info["name"])
        if jpeg is None:
            raise web.HTTPNotFound(text="no cue has this picture\n")
        return web.Response(body=jpeg, content_type="image/jpeg")

    async def _stats_json(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(finite(self._stats()))

    async def _metrics_text(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=self._metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _stream(self, feed: JpegFeed, request: web.Request) -> web.StreamResponse:
        if self.streams >= MOST_STREAMS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_STREAMS} browsers are watching already; close one of them\n")
        response = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace; boundary=frame"})
        self.streams += 1
        pump = asyncio.ensure_future(self._pump(feed, request, response))
        stop = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({pump, stop}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            pump.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):  # the browser disconnected
                await pump
            self.streams -= 1
        return response

    async def _pump(self, feed: JpegFeed, request: web.Request, response: web.StreamResponse) -> None:
        await response.prepare(request)
        await response.write(b"--frame\r\n")
        shown = Count()
        while True:
            # Every frame, also of a held picture: some programs take silence for the end.
            shown, jpeg = await feed.after(shown.is_before)
            head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
            # The next boundary is sent at once: browsers show a picture only after the boundary behind it. A slow
            # browser delays only this write, and then gets the newest frame.
            await response.write(head + jpeg + b"\r\n--frame\r\n")


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
