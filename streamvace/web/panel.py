"""The control panel's other end: one WebSocket a browser, JSON both ways. What it sets goes in by OSC's door.

Browser to here: `{"address": "/streamvace/seed", "arguments": [7]}`.
Here to browser: `{"schema": [...], "glides": [...], "curves": [...]}` once; then `{"values": {address: value}}` with
what changed, `{"cues": [...]}` when they did, `{"line": "..."}` for a complaint.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Protocol
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from osc_schema import Parameter, Value

MOST_PANELS = 8
"""Browsers that steer at once; one more gets a 503."""
MOST_BYTES = 1 << 16
"""Of a message: eight prompts at their longest."""

_BREATH_S = 0.05
"""Between two looks at the values: as often as a hand on a slider can follow."""
_HEARTBEAT_S = 20.0
_MOST_LINES = 16


Name = tuple[str, int]


class LocalClients(Protocol):
    """The way in for surfaces: in a show, the OSC server's."""

    def open(self, answer: Callable[[str, tuple[object, ...]], None], /) -> Name: ...

    def post(self, name: Name, address: str, /, *arguments: object) -> None: ...

    def close(self, name: Name, /) -> None: ...


class Panel:
    """Serves panels of one schema. Belongs to the web server's event loop."""

    def __init__(
        self,
        schema: Iterable[Parameter],
        doors: LocalClients,
        values: Callable[[], Mapping[str, Value]],
        cues: Callable[[], Iterable[str]],
        *,
        glides: Iterable[str] = (),
        curves: Iterable[str] = (),
        error: str = "/streamvace/status/error",
    ) -> None:
        """values: of every parameter and output. glides: addresses that take a value, seconds and one of the curves.

        error: the address of complaints.
        """
        self._rows = {row.address: row for row in schema}
        self._doors = doors
        self._values = values
        self._cues = cues
        self._glides = tuple(glides)
        self._curves = tuple(curves)
        self._error = error
        self._sockets: set[web.WebSocketResponse] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One browser, until it leaves."""
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            # A WebSocket may be opened by any page of any site: only our own page may steer.
            raise web.HTTPForbidden(text=f"only the page of this server may steer, not one of {origin!r}\n")
        if len(self._sockets) >= MOST_PANELS:
            raise web.HTTPServiceUnavailable(text=f"{MOST_PANELS} panels are open already; close one of them\n")
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=MOST_BYTES)
        self._sockets.add(socket)
        lines: asyncio.Queue[str] = asyncio.Queue(_MOST_LINES)
        loop = asyncio.get_running_loop()
        name = self._doors.open(lambda address, arguments: self._heard(loop, lines, address, arguments))
        telling: asyncio.Future[None] | None = None
        try:
            await socket.prepare(request)
            telling = asyncio.ensure_future(self._tell(socket, lines))
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._obey(name, message.data, lines)
        finally:
            self._doors.close(name)
            self._sockets.discard(socket)
            if telling is not None:
                telling.cancel()
                with suppress(asyncio.CancelledError, ConnectionError):
                    await telling
        return socket

    async def hang_up(self) -> None:
        """The show is over."""
        for socket in tuple(self._sockets):
            with suppress(ConnectionError, asyncio.TimeoutError):
                await asyncio.wait_for(socket.close(code=1001, message=b"the show is over", drain=False), 0.5)

    def _heard(
        self, loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[str], address: str, arguments: tuple[object, ...]
    ) -> None:
        """On the OSC thread. Values come round by themselves; complaints come only here."""
        if address == self._error and arguments:
            with suppress(RuntimeError):  # the server is closing
                loop.call_soon_threadsafe(_put, lines, str(arguments[0]))

    def _obey(self, name: Name, text: str, lines: asyncio.Queue[str]) -> None:
        try:
            command = json.loads(text)
            address, arguments = command["address"], command["arguments"]
        except (ValueError, RecursionError, TypeError, KeyError):
            _put(lines, "the panel sent no message")
            return
        row = self._rows.get(address) if isinstance(address, str) else None
        steers = (row is not None and row.access == "write") or address in self._glides
        if not steers or not isinstance(arguments, list):
            _put(lines, f"the panel cannot set {address!r:.60}")
            return
        self._doors.post(name, address, *arguments)

    async def _tell(self, socket: web.WebSocketResponse, lines: asyncio.Queue[str]) -> None:
        rows = [_described(row) for row in self._rows.values()]
        await socket.send_str(json.dumps({"schema": rows, "glides": self._glides, "curves": self._curves}))
        told: dict[str, Value] = {}
        cues: tuple[str, ...] | None = None
        while True:
            news: dict[str, object] = {}
            values = self._values()
            changed = {address: value for address, value in values.items() if told.get(address) != value}
            if changed:
                told.update(changed)
                news["values"] = changed
            if (now := tuple(self._cues())) != cues:
                news["cues"] = cues = now
            if not lines.empty():
                news["line"] = lines.get_nowait()
            if news:
                await socket.send_str(json.dumps(news))
            await asyncio.sleep(_BREATH_S)


def _put(lines: asyncio.Queue[str], line: str) -> None:
    """Of too many lines, the newest are told."""
    if lines.full():
        lines.get_nowait()
    lines.put_nowait(line)


def _described(row: Parameter) -> dict[str, object]:
    """A row as the page wants it."""
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
