"""One WebSocket client of OSCQuery: what it wants to hear, and telling it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress

from aiohttp import WSMsgType, web

from osc_schema import Value, flat
from streamvace.osc.codec import encode_message
from streamvace.osc.query import Namespace

BREATH_SECONDS = 0.01
"""Between two rounds of values: faders send faster than panels draw."""


class Listener:
    """Takes LISTEN and IGNORE, and sends values as binary OSC packets, from the first LISTEN on.

    It keeps no queue, only what the client was told last: a slow one misses values between, never the newest, and costs
    no memory. What it says otherwise is ignored, as the proposal asks.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        namespace: Namespace,
        read: Callable[[], Mapping[str, Value]],
        patience: float,
    ) -> None:
        """read: all values of the moment; asked for when `news` is set, and every `patience` seconds."""
        self.news = asyncio.Event()
        self._socket = socket
        self._namespace = namespace
        self._read = read
        self._patience = patience
        self._told: dict[str, Value | None] = {}

    async def serve(self) -> None:
        """Until the client leaves, or `hang_up`."""
        telling = asyncio.ensure_future(self._tell())
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    self._obey(message.data)
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):  # it left in the middle of a value: no fault
                await telling

    async def hang_up(self) -> None:
        """Say goodbye, without waiting for an answer to it."""
        with suppress(ConnectionError, asyncio.TimeoutError):
            await asyncio.wait_for(self._socket.close(code=1001, message=b"the show is over", drain=False), 0.5)

    def _obey(self, text: str) -> None:
        try:
            command = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(command, dict):
            return
        path = command.get("DATA")
        if not isinstance(path, str):
            return
        if command.get("COMMAND") == "LISTEN" and self._namespace.listenable(path):
            self._told[path] = None
            self.news.set()
        elif command.get("COMMAND") == "IGNORE":
            self._told.pop(path, None)

    async def _tell(self) -> None:
        while True:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.news.wait(), self._patience)
            self.news.clear()
            values = self._read() if self._told else {}
            for path in tuple(self._told):
                value = values.get(path)
                # While one value was on its way, the client may have said IGNORE to the next.
                if path in self._told and value is not None and self._told[path] != value:
                    self._told[path] = value
                    await self._socket.send_bytes(encode_message(path, *flat(value)))
            await asyncio.sleep(BREATH_SECONDS)
