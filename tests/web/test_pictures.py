"""Pictures for a page: one in flight, the newest next, and what was left out is counted."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import replace

import cv2
import numpy as np

from streamvace.web.jpeg_feed import JpegFeed
from streamvace.web.pictures import PictureSender
from tests.patience import PATIENCE_S
from tests.web.show import grey


def read(message: bytes) -> tuple[str, int, int]:
    """(view, skipped, grey level) of a message."""
    length = message[0]
    picture = cv2.imdecode(np.frombuffer(message[5 + length :], np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    (skipped,) = struct.unpack(">I", message[1 + length : 5 + length])
    return message[1 : 1 + length].decode(), skipped, round(float(picture.mean()))


async def following(sent: asyncio.Queue[bytes]) -> bytes:
    """The next message."""
    return await asyncio.wait_for(sent.get(), PATIENCE_S)


def test_the_next_picture_is_the_newest_and_waits_until_the_last_is_drawn() -> None:
    async def go() -> None:
        feed, sent = JpegFeed("test"), asyncio.Queue[bytes]()
        sender = PictureSender("mask", feed, sent.put)
        running = asyncio.ensure_future(sender.run())
        feed.publish(grey(10))
        assert read(await following(sent)) == ("mask", 0, 10)
        for level in (50, 100, 150, 200):
            feed.publish(grey(level))
            await asyncio.sleep(0)
        assert (feed.encoded, sent.qsize()) == (1, 0), "nothing is encoded for a page that does not draw"
        sender.drawn()
        assert read(await following(sent)) == ("mask", 3, 200)
        sender.drawn()
        sender.drawn()
        feed.publish(grey(30))
        assert read(await following(sent)) == ("mask", 0, 30)
        assert (feed.skipped, feed.wanted) == (3, False), "the page has not drawn the last one"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert not feed.wanted

    asyncio.run(go())


def test_a_held_picture_is_encoded_once_and_not_sent_again() -> None:
    async def go() -> None:
        feed, sent = JpegFeed("test"), asyncio.Queue[bytes]()
        running = asyncio.ensure_future(PictureSender("output", feed, sent.put).run())
        held = grey(10)
        feed.publish(held)
        await following(sent)
        for number in range(1, 4):
            feed.publish(replace(held, sequence=number))
        assert (await feed.after(0))[0] == 4, "another viewer gets every frame"
        assert (feed.encoded, sent.qsize()) == (1, 0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

        sender = PictureSender("output", feed, sent.put)
        running = asyncio.ensure_future(sender.run())
        assert read(await following(sent)) == ("output", 0, 10), "a new page has not drawn it"
        sender.drawn()
        feed.publish(replace(held, sequence=4))
        for _ in range(1000):
            await asyncio.sleep(0)
        assert feed.wanted, "the page waits for another one"
        assert (feed.encoded, sent.qsize()) == (1, 0)
        feed.publish(grey(200))
        assert read(await following(sent)) == ("output", 0, 200)
        running.cancel()

    asyncio.run(go())


def test_a_late_page_has_skipped_nothing() -> None:
    async def go() -> None:
        feed, sent = JpegFeed("test"), asyncio.Queue[bytes]()
        for level in range(20):
            feed.publish(grey(level))
        running = asyncio.ensure_future(PictureSender("output", feed, sent.put).run())
        assert read(await following(sent)) == ("output", 0, 19)
        running.cancel()
        assert feed.skipped == 0

    asyncio.run(go())


class Tireless(JpegFeed):
    """Has a newer frame whenever it is asked."""

    async def after(self, number: int) -> tuple[int, bytes]:
        return number + 5, b"jpeg %d" % number


def test_every_picture_waits_for_the_one_before_it() -> None:
    async def go() -> None:
        sent: list[bytes] = []

        async def send(message: bytes) -> None:
            assert len(sent) < 3, "one that does not wait ends here"
            sent.append(message)

        sender = PictureSender("output", Tireless("test"), send)
        running = asyncio.ensure_future(sender.run())
        for drawn in range(1, 4):
            for _ in range(10):
                await asyncio.sleep(0)
            assert len(sent) == drawn
            sender.drawn()
            sender.drawn()
        running.cancel()

    asyncio.run(go())
