"""One WebSocket client of OSCQuery: its subscriptions, and sending their values."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress

from aiohttp import WSMsgType, web

from osc_schema import Value, flat
from streamvace.osc.codec import encode_message
from streamvace.osc.query import Namespace

PAUSE_SECONDS = 0.01
"""Between two rounds of values: faders send faster than panels draw."""


class Listener:
    """Handles LISTEN and IGNORE, and sends values as binary OSC packets.

    It keeps no queue, only the values sent last: a slow client skips intermediate values, always gets the newest, and
    costs no memory. Other messages are ignored, as the proposal requires.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        namespace: Namespace,
        read: Callable[[], Mapping[str, Value]],
        interval: float,
    ) -> None:
        """read: all current values; called when `news` is set, and every `interval` seconds."""
        self.news = asyncio.Event()
        self._socket = socket
        self._namespace = namespace
        self._read = read
        self._interval = interval
        self._sent: dict[str, Value | None] = {}

    async def serve(self) -> None:
        """Run until the client leaves, or until `hang_up`."""
        sending = asyncio.ensure_future(self._send_changes())
        try:
            async for message in self._socket:
                if message.type is WSMsgType.TEXT:
                    self._handle(message.data)
        finally:
            sending.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):  # it may leave in the middle of a value
                await sending

    async def hang_up(self) -> None:
        """Close the connection without waiting for the client's close frame."""
        with suppress(ConnectionError, asyncio.TimeoutError):
            await asyncio.wait_for(self._socket.close(code=1001, message=b"the show is over", drain=False), 0.5)

    def _handle(self, text: str) -> None:
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
            self._sent[path] = None
            self.news.set()
        elif command.get("COMMAND") == "IGNORE":
            self._sent.pop(path, None)

    async def _send_changes(self) -> None:
        while True:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.news.wait(), self._interval)
            self.news.clear()
            values = self._read() if self._sent else {}
            for path in tuple(self._sent):
                value = values.get(path)
                # During the send of one value, the client may IGNORE the next.
                if path in self._sent and value is not None and self._sent[path] != value:
                    self._sent[path] = value
                    await self._socket.send_bytes(encode_message(path, *flat(value)))
            await asyncio.sleep(PAUSE_SECONDS)
