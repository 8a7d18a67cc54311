"""The server side of the control panel: one WebSocket for each browser, JSON both ways, setting values through OSC.

From the browser: `{"address": "/streamvace/seed", "arguments": [7]}`.
To the browser: `{"schema": [...], "glides": [...], "curves": [...]}` once, then `{"values": {address: value}}` with
changed values, `{"cues": [...]}` when the cues change, `{"line": "..."}` for a complaint.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Protocol
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from osc_schema import Parameter, Value

MOST_PANELS = 8
"""Open panels; further ones get a 503."""
MOST_BYTES = 1 << 16
"""Bytes of a message: enough for eight prompts of maximum length."""

_INTERVAL_S = 0.05
"""Between two updates of the values."""
_HEARTBEAT_S = 20.0
_MOST_LINES = 16

Name = tuple[str, int]


class LocalClients(Protocol):
    """The part of `osc.local_clients.LocalClients` in use."""

    def open(self, answer: Callable[[str, tuple[object, ...]], None], /) -> Name: ...

    def post(self, name: Name, address: str, /, *arguments: object) -> None: ...

    def close(self, name: Name, /) -> None: ...


class Panel:
    """Serves panels of one schema. Belongs to the web server's event loop."""

    def __init__(
        self,
        schema: Iterable[Parameter],
        clients: LocalClients,
        values: Callable[[], Mapping[str, Value]],
        cues: Callable[[], Iterable[str]],
        *,
        glides: Iterable[str] = (),
        curves: Iterable[str] = (),
        error: str = "/streamvace/status/error",
    ) -> None:
        """values: of every parameter and output. glides: addresses that take a value, seconds and a curve.

        curves: their names. error: the address of complaints.
        """
        self._rows = {row.address: row for row in schema}
        self._clients = clients
        self._values = values
        self._cues = cues
        self._glides = tuple(glides)
        self._curves = tuple(curves)
        self._error = error
        self._sockets: set[web.WebSocketResponse] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one browser until it disconnects."""
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            # Browsers let a page of any site open a WebSocket here: only our own page may set values.
            raise web.HTTPForbidden(text=f"only this server's own page may open the panel, not one of {origin!r}\n")
        if len(self._sockets) >= MOST_PANELS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_PANELS} panels are open already; close one of them\n")
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=MOST_BYTES)
        self._sockets.add(socket)
        lines: asyncio.Queue[str] = asyncio.Queue(_MOST_LINES)
        loop = asyncio.get_running_loop()
        name = self._clients.open(partial(self._complain, loop, lines))
        sending: asyncio.Future[None] | None = None
        try:
            await socket.prepare(request)
            sending = asyncio.ensure_future(self._send_changes(socket, lines))
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._handle(name, message.data, lines)
        finally:
            self._clients.close(name)
            self._sockets.discard(socket)
            if sending is not None:
                sending.cancel()
                with suppress(asyncio.CancelledError, ConnectionError):
                    await sending
        return socket

    async def hang_up(self) -> None:
        """Disconnect every browser at the end of the show."""
        for socket in tuple(self._sockets):
            with suppress(ConnectionError, asyncio.TimeoutError):
                await asyncio.wait_for(socket.close(code=1001, message=b"the show is over", drain=False), 0.5)

    def _complain(
        self, loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[str], address: str, arguments: tuple[object, ...]
    ) -> None:
        """On the OSC thread. Answers with values are ignored: `_send_changes` sends every value."""
        if address == self._error and arguments:
            with suppress(RuntimeError):  # the server is closing
                loop.call_soon_threadsafe(_put, lines, str(arguments[0]))

    def _handle(self, name: Name, text: str, lines: asyncio.Queue[str]) -> None:
        try:
            command = json.loads(text)
            address, arguments = command["address"], command["arguments"]
        except (ValueError, RecursionError, TypeError, KeyError):
            _put(lines, "invalid message from the panel")
            return
        row = self._rows.get(address) if isinstance(address, str) else None
        settable = (row is not None and row.access == "write") or address in self._glides
        if not settable or not isinstance(arguments, list):
            _put(lines, f"the panel cannot set {address!r:.60}")
            return
        self._clients.post(name, address, *arguments)

    async def _send_changes(self, socket: web.WebSocketResponse, lines: asyncio.Queue[str]) -> None:
        rows = [_described(row) for row in self._rows.values()]
        await socket.send_str(json.dumps({"schema": rows, "glides": self._glides, "curves": self._curves}))
        sent: dict[str, Value] = {}
        cues: tuple[str, ...] | None = None
        while True:
            news: dict[str, object] = {}
            values = self._values()
            changed = {address: value for address, value in values.items() if sent.get(address) != value}
            if changed:
                sent.update(changed)
                news["values"] = changed
            if (now := tuple(self._cues())) != cues:
                news["cues"] = cues = now
            if not lines.empty():
                news["line"] = lines.get_nowait()
            if news:
                await socket.send_str(json.dumps(news))
            await asyncio.sleep(_INTERVAL_S)


def _put(lines: asyncio.Queue[str], line: str) -> None:
    """Queue a line; a full queue drops its oldest line."""
    if lines.full():
        lines.get_nowait()
    lines.put_nowait(line)


def _described(row: Parameter) -> dict[str, object]:
    """A row in the page's terms."""
    return {
        "address": row.address,
        "type": row.type,
        "label": row.label,
        "help": row.help,
        "group": row.group,
        "access": row.access,
        "unit": row.unit,
        "min": row.minimum,
        "max": row.maximum,
        "choices": row.choices,
        "length": row.max_length,
        "items": row.max_items,
        "argument": row.argument,
        "default": row.default,
    }
