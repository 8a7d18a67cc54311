"""Pictures for one page: a view is sent again only after the page has drawn the one before.

A message is `[names length: 1 byte][name][skipped: 4 bytes, big endian][JPEG]`; skipped counts the frames of this view
that were left out since the picture before.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable

from streamvace.web.jpeg_feed import JpegFeed


class PictureSender:
    """Sends one view to one page, with a credit of one picture in flight.

    A page that is slow, throttled or hidden therefore skips frames. Nothing is queued for it, and nothing encoded. What
    it has drawn already is not sent again.
    """

    def __init__(self, name: str, feed: JpegFeed, send: Callable[[bytes], Awaitable[None]]) -> None:
        """name: of the view, ASCII, at most 255 bytes."""
        self._name = name
        self._feed = feed
        self._send = send
        self._credit = asyncio.Event()

    async def run(self) -> None:
        """Send pictures until cancelled."""
        number, sent = 0, b""
        while True:
            newest, jpeg = await self._feed.after(number)
            skipped = newest - number - 1 if number else 0
            number = newest
            if jpeg is sent:
                continue
            sent = jpeg
            self._feed.skipped += skipped
            self._credit.clear()
            await self._send(head(self._name, skipped) + jpeg)
            await self._credit.wait()

    def drawn(self) -> None:
        """The page has drawn the last picture."""
        self._credit.set()


def head(name: str, skipped: int) -> bytes:
    """What precedes the JPEG in a message."""
    return struct.pack(">B", len(name)) + name.encode("ascii") + struct.pack(">I", min(skipped, 0xFFFF_FFFF))
