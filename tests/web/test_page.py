"""The page in a real browser: pictures, figures, a connection that comes and goes, and keys that belong to others."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack

import cv2
import numpy as np

import osc_schema
from streamvace.control.parameters import PROMPT
from streamvace.osc.codec import encode_message
from streamvace.records.frame import Frame
from streamvace.web.jpeg_feed import JpegFeed
from streamvace.web.preview import WebPreview
from tests.patience import PATIENCE_S
from tests.web.devtools import LOOK_S, Browser, Page
from tests.web.show import HAND_MS, SCALE, Hand, Show, grey, in_a_browser

LEVELS = """
  window.level = id => {
    const canvas = document.getElementById(id);
    return canvas.hidden ? -1 : canvas.getContext("2d").getImageData(0, 0, 1, 1).data[0];
  };
  window.over = () => document.getElementById("over").hidden ? "" : document.getElementById("over").textContent;
"""
"""The grey level that a view shows, and what is written over the picture."""


async def shows(page: Page, view: str, level: int) -> None:
    await page.until(f"Math.abs(level('{view}') - {level}) <= 2")


async def ticks_until_shown(page: Page, feed: JpegFeed, view: str, level: int) -> None:
    """Publish a picture again and again, as the presenter does, until the page shows it."""
    frame, deadline = grey(level), asyncio.get_running_loop().time() + PATIENCE_S
    while not await page.run(f"Math.abs(level('{view}') - {level}) <= 2"):
        assert asyncio.get_running_loop().time() < deadline, f"{view} never shows {level}"
        feed.publish(frame)
        await asyncio.sleep(LOOK_S)


def test_the_picture_fills_the_stage_without_black_bars(tabs: Browser, show: Show) -> None:
    pixels = np.zeros((480, 832, 4), np.uint8)
    pixels[..., 1] = 255

    async def act(hand: Hand) -> None:
        show.web.publish(Frame(pixels, 0, "test", 0))
        await hand.sees("document.getElementById('over').hidden")
        page = cv2.imdecode(np.frombuffer(await hand.page.picture(), np.uint8), cv2.IMREAD_COLOR)
        assert page is not None
        pure_green = (page[..., 1] > 240) & (page[..., 0] < 15) & (page[..., 2] < 15)
        assert 0.15 < pure_green.mean() < 0.8  # beside the controls, in a low window
        wide, high = await hand.does("[stage.clientWidth, stage.clientHeight]")
        assert abs(wide / high - 832 / 480) < 0.01

    in_a_browser(tabs, show, act)


def test_after_a_restart_of_the_show_picture_figures_and_panel_are_back_without_a_reload(tabs: Browser) -> None:
    first = Show()

    async def act(hand: Hand) -> None:
        await hand.does(LEVELS + "window.same = true")
        first.web.publish(grey(60))
        await shows(hand.page, "picture", 60)
        await hand.does("by('arrivals-box').open = true; give('seed', 3)")
        await hand.sees("all('#arrivals li').length === 1")
        first.osc.publish("/streamvace/status/complaint", "of the first show")
        await hand.sees("!document.getElementById('complaint').hidden")
        await hand.types("by('prompt')", "half", end="")
        await asyncio.to_thread(first.close)
        await hand.sees("over().startsWith('lost, trying again') && by('word').textContent === 'OFFLINE'")
        assert await hand.does("level('picture')") in range(58, 63), "the frozen picture stays, with the line over it"
        assert await hand.does("by('desk').inert && by('transport').inert"), "nothing can be used that nobody hears"
        await hand.does("give('seed', 5)")
        assert await hand.does("document.getElementById('line').textContent") == "not sent: there is no connection"

        second = Show(first.web.port)
        try:
            second.osc.publish("/streamvace/status/fps", 12.0)
            second.parameters.set("/streamvace/seed", (77,), "somebody else")
            await hand.sees("over() === 'waiting for a picture' && all('#arrivals li').length === 0")
            assert await hand.does("document.getElementById('complaint').hidden"), "it is of the first show"
            second.web.publish(grey(160))
            await shows(hand.page, "picture", 160)
            second.osc.publish("/streamvace/status/mask", "luma")  # without a mask there is no view of it
            second.web.views["mask"].publish(grey(200))
            await shows(hand.page, "view-mask", 200)
            await hand.sees("over() === '' && by('fps').textContent === '12.0' && by('word').textContent !== 'OFFLINE'")
            await hand.sees("box('seed').value === '77'")
            assert await hand.does("same"), "the page was not loaded again"
            assert await hand.does("by('prompt').value === 'half' && document.activeElement === by('prompt')")
            await hand.does("give('context_scale', 0.25)")
            await Hand(second, hand.page).becomes("/streamvace/context_scale", 0.25)
        finally:
            await asyncio.to_thread(second.close)

    try:
        in_a_browser(tabs, first, act, "edit")
    finally:
        first.close()


def test_a_show_that_says_nothing_is_taken_as_lost(tabs: Browser, show: Show) -> None:
    async def go() -> None:
        stopped = """
          window.WebSocket = class extends WebSocket { set onmessage(_) {} };
          window.setInterval = act => { window.check ??= act; };
        """
        async with tabs.open(show.web.url, stopped) as page:
            await page.run(LEVELS)
            await page.until("window.check && over() === 'waiting for a picture'")
            for _ in range(6):
                await page.run("check()")
            assert await page.run("over()") == "waiting for a picture"
            assert await page.run("check(), over()") == "lost, trying again (no answer)"

    asyncio.run(go())


TABS = 7
"""One more than the connections that a browser opens to a host for everything but WebSockets."""


def test_more_tabs_than_a_browser_has_connections_show_every_view_and_those_behind_take_nothing(
    tabs: Browser, show: Show
) -> None:
    web = show.web

    async def go() -> None:
        async with AsyncExitStack() as opened:
            pages = []
            for _ in range(TABS):
                page = await opened.enter_async_context(tabs.open(web.url))
                await page.until("document.querySelectorAll('.control').length > 20")
                await page.run(LEVELS)
                pages.append(page)
            for level, page in enumerate(pages, 100):
                await tabs.show(page)
                for view, feed in (("picture", web.feed), ("view-control", web.views["control"])):
                    await ticks_until_shown(page, feed, view, level)
            assert web.figures()["web_pages"] == TABS
            encoded, skipped = web.feed.encoded, web.feed.skipped
            hidden = "new Promise(done => setTimeout(() => done(document.hidden), 0))"
            assert [await page.run(hidden) for page in pages] == [True] * (TABS - 1) + [False]
            for level in range(130, 250, 10):
                await ticks_until_shown(pages[-1], web.feed, "picture", level)
            # Each tab behind takes two pictures at most, which the first tab takes too, and then waits to be seen.
            assert web.feed.encoded - encoded == 12
            assert web.feed.skipped == skipped
            await tabs.show(pages[0])
            await ticks_until_shown(pages[0], web.feed, "picture", 30)
            assert web.feed.skipped - skipped >= 11

    asyncio.run(go())


def test_a_page_that_is_opened_before_the_show_has_started_shows_pictures(tabs: Browser) -> None:
    web = WebPreview(port=0)

    async def go() -> None:
        async with tabs.open(web.url) as page:
            await page.run(LEVELS)
            web.publish(grey(80))
            await shows(page, "picture", 80)

    try:
        asyncio.run(go())
    finally:
        web.close()


def test_a_throttled_tab_skips_and_is_told_how_many(tabs: Browser, show: Show) -> None:
    async def go() -> None:
        held = "window.asked = []; window.requestAnimationFrame = act => asked.push(act)"
        async with tabs.open(show.web.url, held) as page:
            await page.run(LEVELS)
            show.web.publish(grey(10))
            await page.until("asked.length === 1")
            second = grey(60)
            while show.web.feed.encoded < 2:
                show.web.publish(second)
                await asyncio.sleep(LOOK_S)
            for level in range(61, 100):
                show.web.publish(grey(level))
            for _ in range(3):
                await page.until("asked.length === 1")
                await page.run("asked.shift()()")
            await shows(page, "picture", 99)
            await page.until("document.getElementById('skipped').textContent === '38 skipped on this page'")
            assert show.web.figures()["web_skipped"] == 38

    asyncio.run(go())


FIELDS = "input:not([type=checkbox], [type=range]), textarea"
COUNT = """
  window.sent = [];
  const say = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) {
    if (text.includes("address")) sent.push(text);
    say.call(this, text);
  };
"""


def test_enter_that_confirms_a_conversion_sends_nothing_in_any_field(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        page = hand.page
        await hand.does("all('details').forEach(each => each.open = true)")
        await hand.does(COUNT + f"; window.fields = all('{FIELDS}').filter(each => each.checkVisibility())")
        assert await hand.does("fields.length") > 10
        for number in range(await hand.does("fields.length")):
            if await hand.does(f"field = fields[{number}]; field.focus(); field.value = ''; field.type") == "number":
                continue  # a conversion cannot begin there
            await page.ask("Input.imeSetComposition", text="にほん", selectionStart=3, selectionEnd=3)
            await page.key("Enter", 13, "\r")
            await page.ask("Input.insertText", text="日本")
            # Safari: the composition has ended, and its Enter says so by its number only.
            late = "new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, bubbles: true, cancelable: true})"
            found = await hand.does(f"[field.value.trim(), field.dispatchEvent({late}), sent.join(), field.outerHTML]")
            assert found[:3] == ["日本", False, ""], found[3]
            await hand.does("field.value = ''; field.dispatchEvent(new Event('input'))")
        assert await hand.does("sent") == []
        await hand.does("document.getElementById('prompt').focus()")
        await page.ask("Input.insertText", text="日本")
        await page.key("Enter", 13, "\r")
        await hand.becomes(PROMPT, "日本")

    in_a_browser(tabs, show, act, "edit")


def test_a_number_that_is_being_typed_stays_until_it_is_sent_or_left(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        for name, address, value in (("seed", "/streamvace/seed", 9), ("context_scale", SCALE, 1.5)):
            await hand.types(f"box('{name}')", "3", end="")
            await hand.hears(address, value)
            assert await hand.does(f"box('{name}').value") == "3"
            await hand.does(f"box('{name}').value = ''")
            await hand.does(f"box('{name}').blur(); pass({HAND_MS + 100})")
            await hand.sees(f"box('{name}').value === '{value}'")

    in_a_browser(tabs, show, act)


def test_a_trigger_that_rolls_a_number_is_a_die_beside_it(tabs: Browser) -> None:
    entry = {
        "address": "/streamvace/mask/grow/random",
        "label": "Roll",
        "group": "picture",
        "type": "trigger",
        "default": None,
        "applies": "next_chunk",
        "access": "write",
        "help": "Rolls.",
    }
    show = Show(more=(osc_schema.parse(entry),))

    async def act(hand: Hand) -> None:
        await hand.does(COUNT)
        await hand.does("all('button').find(each => each.ariaLabel === 'Roll').click()")
        assert await hand.does("sent") == ['{"address":"/streamvace/mask/grow/random","arguments":[]}']
        assert await hand.does("line('mask/grow').contains(all('button').find(each => each.ariaLabel === 'Roll'))")
        assert await hand.does("all('.control').every(each => !each.dataset.address.endsWith('grow/random'))")

    try:
        in_a_browser(tabs, show, act)
    finally:
        show.close()


def test_what_arrives_is_listed_with_its_fate_and_the_text_of_strangers_stays_text(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        await hand.does("document.getElementById('arrivals-box').open = true")
        assert not await hand.does("document.getElementById('no-arrivals').hidden")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as controller:
            for address, *arguments in (
                (SCALE, 0.5),
                (SCALE, 0.75),
                ("/streamvace/<img/src=x>", "<b>bold</b>"),
                (SCALE, 9.0),
            ):
                controller.sendto(encode_message(address, *arguments), ("127.0.0.1", show.osc.port))
                await hand.sees(f"all('#arrivals .what').some(each => each.textContent.includes('{address}'))")
        await hand.sees("all('#arrivals li').map(each => each.className).join() === 'clamped,unknown,applied'")
        said = await hand.does("all('#arrivals li').map(each => each.textContent)")
        assert "clampedlimited to 2 (range 0-2), got 9" in said[0]
        assert "src=x> '<b>bold</b>'unknown" in said[1]
        assert "0.75" in said[2]
        assert "127.0.0.1" in said[2]
        assert await hand.does("all('#arrivals img, #arrivals b').length") == 0
        assert await hand.does("document.getElementById('complaints').hidden")
        show.osc.publish("/streamvace/status/complaints", 2)
        show.osc.publish("/streamvace/status/complaint", "OSC unknown: <b>no</b>")
        await hand.sees("document.getElementById('complaints').textContent === '2 wrong'")
        show.osc.publish("/streamvace/status/complaint", "")
        show.osc.publish("/streamvace/status/complaints", 3)
        await hand.sees("document.getElementById('complaints').textContent === '3 wrong'")
        assert await hand.does("document.getElementById('complaint').textContent") == "OSC unknown: <b>no</b>"

    in_a_browser(tabs, show, act, "edit")
