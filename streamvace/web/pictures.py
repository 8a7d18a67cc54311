"""Pictures for one page: as many a second as are seen, and only while the page draws them.

A message is `[names length: 1 byte][name][skipped: 4 bytes, big endian][JPEG]`; skipped counts the pictures of this
view that were left out since the one before because the page had not drawn enough.
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from typing import Final

from streamvace.system.clock import now_ns
from streamvace.web.jpeg_feed import Count, JpegFeed

AHEAD: Final = 2
"""Pictures that may be on their way to a page. With two, the page answers every second one, which is half the messages;
with more, a page that is slow would show what is old."""

PACES_S: Final = {"output": 0.025}
"""View -> least time between two of its pictures. That of the output lets every second one of 50 or 60 a second pass,
and all of 30."""
CALM_S: Final = 0.19
"""The same for all other views: five pictures a second show what the model follows."""


class PictureSender:
    """Sends one view to one page.

    A page that is slow, throttled or hidden skips pictures. Nothing is queued for it, and nothing encoded. A picture
    that it has got already is not sent again.
    """

    def __init__(
        self,
        name: str,
        feed: JpegFeed,
        send: Callable[[bytes], Awaitable[None]],
        clock: Callable[[], int] = now_ns,
    ) -> None:
        """name: of the view, ASCII, at most 255 bytes. clock: nanoseconds."""
        self._name = name
        self._feed = feed
        self._send = send
        self._clock = clock
        self._pace_ns = round(PACES_S.get(name, CALM_S) * 1e9)
        self._sent = 0  # the number of the picture that was sent last
        self._flying = 0  # sent and not drawn
        self._due_ns = 0
        self._left_out = 0

    async def run(self) -> None:
        """Send pictures until cancelled."""
        while True:
            count, jpeg = await self._feed.after(self._wants)
            self._sent = count.pictures
            self._flying += 1
            self._due_ns = self._clock() + self._pace_ns
            skipped, self._left_out = self._left_out, 0
            self._feed.skipped += skipped
            await self._send(head(self._name, skipped) + jpeg)

    def drawn(self, pictures: int) -> None:
        """The page has drawn so many more."""
        waited = self._flying >= AHEAD
        self._flying = max(0, self._flying - pictures)
        if waited and self._flying < AHEAD:
            self._left_out += max(0, self._feed.count.pictures - self._sent - 1)  # the newest is not left out
            self._feed.look()

    def _wants(self, count: Count) -> bool:
        """Whether the page takes the newest picture now."""
        return count.pictures > self._sent and self._flying < AHEAD and self._clock() >= self._due_ns


def head(name: str, skipped: int) -> bytes:
    """What precedes the JPEG in a message."""
    return struct.pack(">B", len(name)) + name.encode("ascii") + struct.pack(">I", min(skipped, 0xFFFF_FFFF))
