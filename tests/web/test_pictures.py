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


class Clock:
    """Seconds that pass only when the test lets them."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> int:
        return round(self.now_s * 1e9)


class Sending:
    """A sender with a page that says what it has drawn when the test wants it."""

    def __init__(self, view: str, feed: JpegFeed) -> None:
        self.feed, self.clock = feed, Clock()
        self.sent = asyncio.Queue[bytes]()
        self.sender = PictureSender(view, feed, self.sent.put, self.clock)
        self._running = asyncio.ensure_future(self.sender.run())

    async def publish(self, level: int, after_s: float = 1.0) -> None:
        """Another picture, so long after the last one."""
        self.clock.now_s += after_s
        self.feed.publish(grey(level))
        await settled()

    async def following(self) -> bytes:
        """The next message."""
        return await asyncio.wait_for(self.sent.get(), PATIENCE_S)

    async def end(self) -> None:
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)


async def settled() -> None:
    """All that can happen without a new event has happened."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_two_pictures_are_on_their_way_and_the_next_is_the_newest_when_they_are_drawn() -> None:
    async def go() -> None:
        feed = JpegFeed("test")
        page = Sending("mask", feed)
        for level in (10, 20):
            await page.publish(level)
            assert read(await page.following()) == ("mask", 0, level)
        for level in (50, 100, 150, 200):
            await page.publish(level)
        assert (feed.encoded, page.sent.qsize()) == (2, 0), "nothing is encoded for a page that does not draw"
        page.sender.drawn(1)
        assert read(await page.following()) == ("mask", 3, 200)
        page.clock.now_s += 1
        assert (feed.skipped, feed.wanted) == (3, False), "the page has not drawn the last two"
        page.sender.drawn(1_000_000)
        assert feed.wanted
        for level in (30, 40, 60):
            await page.publish(level)
        assert [read(await page.following()) for _ in range(page.sent.qsize())] == [("mask", 0, 30), ("mask", 0, 40)], (
            "who has drawn more than there was gets no more at once"
        )
        await page.end()
        assert not feed.wanted

    asyncio.run(go())


def test_a_held_picture_is_encoded_once_and_not_sent_again() -> None:
    async def go() -> None:
        feed, held = JpegFeed("test"), grey(10)
        page = Sending("output", feed)
        feed.publish(held)
        await page.following()
        for number in range(1, 4):
            page.clock.now_s += 1
            feed.publish(replace(held, sequence=number))
            await settled()
        assert (await feed.after(lambda count: count.frames > 3))[0].frames == 4, "another viewer gets every frame"
        assert (feed.encoded, page.sent.qsize(), feed.wanted) == (1, 0, True), "the page waits for another one"
        await page.end()

        later = Sending("output", feed)
        assert read(await later.following()) == ("output", 0, 10), "a new page has not drawn it"
        await later.publish(200)
        assert read(await later.following()) == ("output", 0, 200)
        assert feed.encoded == 2
        await later.end()

    asyncio.run(go())


def test_a_late_page_has_skipped_nothing() -> None:
    async def go() -> None:
        feed = JpegFeed("test")
        for level in range(20):
            feed.publish(grey(level))
        page = Sending("output", feed)
        assert read(await page.following()) == ("output", 0, 19)
        await page.end()
        assert feed.skipped == 0

    asyncio.run(go())


def test_a_page_gets_thirty_of_sixty_pictures_a_second_and_five_of_what_the_model_sees() -> None:
    async def go(view: str, rate: int) -> list[tuple[int, int]]:
        feed = JpegFeed("test")
        page = Sending(view, feed)
        got = []
        for number in range(rate):
            await page.publish(number * 4, 1 / rate)
            while page.sent.qsize():
                got.append(read(await page.following())[1:])
                page.sender.drawn(1)
        await page.end()
        return got

    for view, rate, wanted in (("output", 60, 30), ("output", 30, 30), ("output", 24, 24), ("control", 30, 5)):
        got = asyncio.run(go(view, rate))
        assert len(got) == wanted, (view, rate)
        assert {skipped for skipped, _ in got} == {0}, "the page is not slow"


def test_a_picture_that_came_too_early_follows_when_it_stays() -> None:
    async def go() -> None:
        feed, held = JpegFeed("test"), grey(90)
        page = Sending("output", feed)
        await page.publish(10)
        page.clock.now_s += 0.01
        feed.publish(held)
        await settled()
        assert (read(await page.following())[2], page.sent.qsize(), feed.wanted) == (10, 0, False)
        page.clock.now_s += 0.02
        feed.publish(replace(held, sequence=1))
        assert read(await page.following()) == ("output", 0, 90)
        await page.end()

    asyncio.run(go())
