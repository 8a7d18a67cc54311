"""OSCQuery over HTTP and WebSocket, on its own thread: what controllers read before they send.

GET returns the namespace (`streamvace.osc.query`). A WebSocket client sends LISTEN and IGNORE and gets the newest
values as binary OSC packets, as fast as it reads them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from urllib.parse import urlsplit

from aiohttp import web

from streamvace.control.parameters import Parameters, Snapshot
from streamvace.osc.advertise import Advertisement, host_name
from streamvace.osc.query import Namespace, host_info
from streamvace.osc.query_listener import Listener
from streamvace.osc.server import STATUS_SECONDS, OscServer
from streamvace.system.connections import Connections, Report, unreported
from streamvace.system.network import AllowList, is_loopback, port_refusal
from streamvace.system.server_log import report_loop_errors, server_log

MAX_LISTENERS = 32
"""WebSocket clients at once; further ones get a 503."""
MAX_COMMAND = 4096
"""Bytes of a WebSocket command; a client that sends more is disconnected."""
HEARTBEAT_SECONDS = 20.0
"""Between pings; a client that does not answer within half of this is disconnected."""

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HostCheck = Callable[[str, str], bool]
"""(Host header, bound address) -> whether to answer."""


class OscQueryServer:
    """Serves the namespace of `parameters` and `osc` from construction until `close()`.

    port: the bound port.
    """

    def __init__(
        self,
        parameters: Parameters,
        osc: OscServer,
        host_allowed: HostCheck,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        advertise: bool = True,
        report: Report = unreported,
        allow: AllowList | None = None,
    ) -> None:
        """host_allowed: the guard against DNS rebinding. port: 0 takes any free port. advertise: by mDNS. report: takes
        what clients do wrong. allow: whose connections are taken; None: everyone's.

        Raises UserError if the port is taken.
        """
        self.host = host
        self.port = port
        self._osc = osc
        self._host_allowed = host_allowed
        self._namespace = Namespace(parameters.schema)
        self._listeners: set[Listener] = set()
        self._waking = False  # whether a call of _wake is under way
        self._advertise = advertise
        self._report = report
        self._connections = Connections("OSCQuery", report, allow or AllowList())
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._started: Future[int] = Future()
        self._thread = threading.Thread(target=self._serve, args=(port,), name="oscquery", daemon=True)
        self._thread.start()
        try:
            self.port = self._started.result()
        except OSError as error:
            self._thread.join()
            raise port_refusal(error, "OSCQuery port", host, port, "--oscquery-port") from None
        self._stop_listening = parameters.listen(self._on_change)

    def __enter__(self) -> OscQueryServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The address for controllers on this machine."""
        shown = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        return f"http://[{shown}]:{self.port}" if ":" in shown else f"http://{shown}:{self.port}"

    def close(self) -> None:
        """Disconnect every client and free the port. Idempotent."""
        self._stop_listening()
        if self._thread.is_alive():
            self._call(self._stopping.set)
            self._thread.join(10)

    def _call(self, function: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # the loop has just ended
            self._loop.call_soon_threadsafe(function)

    def _on_change(self, snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        """On any writer's thread. A burst wakes the loop once: each call costs a write to a socket."""
        if self._listeners and not self._waking:
            self._waking = True
            self._call(self._wake)

    def _wake(self) -> None:
        self._waking = False  # first: a later change needs a call of its own
        for listener in self._listeners:
            listener.news.set()

    def _serve(self, port: int) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._run(port))
        finally:
            self._loop.close()

    async def _run(self, port: int) -> None:
        app = web.Application(middlewares=[self._guard])
        app.router.add_get("/{path:.*}", self._get)
        app.on_response_prepare.append(_add_headers)
        report_loop_errors(self._loop, "OSCQuery", self._report)
        logger = server_log("OSCQuery", self._report)
        runner = web.AppRunner(app, access_log=None, logger=logger, shutdown_timeout=0.5)
        await runner.setup()
        assert runner.server is not None
        try:
            server = await self._loop.create_server(self._connections.limited(runner.server), self.host, port)
        except (OSError, OverflowError) as error:
            await runner.cleanup()
            self._started.set_exception(error)
            return
        bound: int = server.sockets[0].getsockname()[1]
        self._started.set_result(bound)
        advertisement = Advertisement(f"streamvace {self._osc.port}", self.host, bound)
        announcing = asyncio.ensure_future(advertisement.start()) if self._advertise else None
        await self._stopping.wait()
        server.close()
        if announcing is not None:
            announcing.cancel()
            with suppress(asyncio.CancelledError):
                await announcing
            await advertisement.stop()
        for listener in tuple(self._listeners):
            await listener.hang_up()
        await runner.cleanup()

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._answers_to(request.host):
            raise web.HTTPForbidden(
                text=f"this server does not answer to {request.host!r}; use localhost, or with --host the IP address\n"
            )
        origin = request.headers.get("Origin")
        if origin is not None and not self._origin_allowed(origin):
            # Browsers let any page open a WebSocket to this machine; only this header names the page.
            raise web.HTTPForbidden(text=f"this server does not answer pages of {origin!r}\n")
        with self._connections.serving(request.transport):
            return await handler(request)

    def _origin_allowed(self, origin: str) -> bool:
        try:
            host = urlsplit(origin).netloc
        except ValueError:
            return False
        return bool(host) and self._answers_to(host)

    def _answers_to(self, header: str) -> bool:
        """A server open to the network also answers to its announced name."""
        if self._host_allowed(header, self.host):
            return True
        named = header.rpartition(":")[0].rstrip(".").lower() == host_name(self.port)
        return named and self._advertise and not is_loopback(self.host)

    async def _get(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._listen(request)
        values = self._osc.values()
        answer = self._namespace.answer(request.path, request.query_string, values, host_info(self._osc.port))
        return web.Response(status=answer.status) if answer.body is None else web.json_response(answer.body)

    async def _listen(self, request: web.Request) -> web.StreamResponse:
        if len(self._listeners) >= MAX_LISTENERS:
            raise web.HTTPServiceUnavailable(text=f"{MAX_LISTENERS} clients are connected already; close one of them\n")
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, max_msg_size=MAX_COMMAND, compress=False)
        listener = Listener(socket, self._namespace, self._osc.values, STATUS_SECONDS)
        self._listeners.add(listener)
        try:
            await socket.prepare(request)
            await listener.serve()
        finally:
            self._listeners.discard(listener)
        return socket


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
