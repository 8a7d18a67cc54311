"""The status strip: what the show does, in one word that never looks better than it is."""

from __future__ import annotations

import asyncio

import pytest

from streamvace.web.news import Beat
from tests.web.devtools import Browser
from tests.web.show import Hand, Show, in_a_browser

STATUS = "/streamvace/status/"


def test_the_strip_says_what_the_show_says_and_records(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        for state, why in (("stalled", "no new picture for 8 s"), ("restarting", "out of memory"), ("live", "")):
            show.osc.publish(f"{STATUS}why", why)
            show.osc.publish(f"{STATUS}state", state)
            await hand.sees(f"by('word').textContent === '{state.upper()}' && by('why').textContent === '{why}'")
        assert float((await hand.does("getComputedStyle(by('word')).fontSize")).removesuffix("px")) >= 32
        for name, value in (
            ("fps", 11.96),
            ("fps_wanted", 24.0),
            ("dropped", 3),
            ("tempo", 120.0),
            ("control", "edges"),
        ):
            show.osc.publish(STATUS + name, value)
        show.osc.publish(f"{STATUS}input", "C:\\clips\\dance.mp4")
        await hand.sees("by('follow-from').textContent === 'from dance.mp4'")
        assert await hand.does("by('vitals').innerText.replace(/\\s+/g, ' ')") == (
            "fresh frames/s 12.0 of 24 dropped 3 beats/min 120.0 Tap control from dance.mp4 edges"
        )
        assert await hand.does("by('fps').closest('div').matches('.low')")
        await hand.does("by('record').click()")
        await hand.becomes("/streamvace/record", True)
        show.osc.publish(f"{STATUS}recording", "C:\\shows\\take-2.mp4")
        show.osc.publish(f"{STATUS}record_time", 72.4)
        await hand.sees("by('record').innerText === 'REC 1:12' && by('record').ariaPressed === 'true'")
        assert await hand.does("by('rec-file').textContent + by('rec-file').href") == "take-2.mp4", (
            "no link to half a film"
        )
        show.osc.publish(f"{STATUS}recorded", "recordings/take-2.mp4")
        show.osc.publish(f"{STATUS}recording", "")
        await hand.sees("by('record').innerText === 'Record'")
        await hand.sees("by('rec-file').href.endsWith('/recordings?name=recordings%2Ftake-2.mp4')")

    in_a_browser(tabs, show, act)


PARTS = "#word, #why, #record, #rec-file, #rec-open, #vitals dd, #vitals dt, #layouts button"
PARTS += ", #go, #back, #sound, .panic button"
OVERLAPS = f"""(() => {{
  const boxes = [...document.querySelectorAll({PARTS!r})].filter(each => each.checkVisibility()).map(each =>
    [each.id || each.textContent, each.getBoundingClientRect()]);
  return boxes.flatMap(([name, a], i) => boxes.slice(i + 1).filter(([, b]) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 6 && b.top < a.bottom - 6)
    .map(([other]) => name + " over " + other));
}})()"""


def test_nothing_in_the_strip_lies_over_anything_else_or_leaves_the_screen(tabs: Browser, show: Show) -> None:
    show.sound = {"level": 0.5, "low": 0.5, "hits": 0.5}
    show.beat = Beat(2.5, 120.0, running=True, at=0.0)

    async def act(hand: Hand) -> None:
        for name, value in (
            *(("why", "the worker ran out of memory; it starts again in 2 s"), ("state", "restarting")),
            *(("recorded", "recordings/2026-11-30 14-05-12.mp4"), ("input", "a-long-name-of-a-clip.mp4")),
            *(("control", "scribble"), ("fps", 23.9), ("fps_wanted", 59.94), ("tempo", 174.5), ("tapped", 174.0)),
        ):
            show.osc.publish(STATUS + name, value)
        await hand.sees("by('word').textContent === 'RESTARTING' && by('tap').textContent === 'Tap 174'")
        for offline in (False, True):
            for width in (1440, 1400, 1280, 1279, 768, 390):
                size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
                await hand.page.ask("Emulation.setDeviceMetricsOverride", **size)
                await hand.sees(f"innerWidth === {width}")
                assert await hand.does(OVERLAPS) == [], (width, offline)
                assert await hand.does("document.documentElement.scrollWidth") == width
            if not offline:
                await asyncio.to_thread(show.web.close)
                await hand.sees("by('word').textContent === 'OFFLINE'")

    in_a_browser(tabs, show, act, "")


@pytest.mark.parametrize("name", ["blackout", "freeze"])
def test_the_panic_row_is_one_press_and_says_what_is_on(tabs: Browser, show: Show, name: str) -> None:
    async def act(hand: Hand) -> None:
        button = f"document.querySelector('#panic .{name}')"
        if name == "blackout":
            await hand.page.key("b", 66, "b")
        else:
            await hand.clicks(button)
        await hand.becomes(f"/streamvace/{name}", True)
        await hand.sees(f"{button}.ariaPressed === 'true'")
        await hand.clicks(button)
        await hand.becomes(f"/streamvace/{name}", False)

    in_a_browser(tabs, show, act)


LIT = "[...by('beat').children].map(each => each.matches('.on') ? 1 : 0).join('')"


def test_the_beat_is_lit_in_its_bar_and_the_page_counts_on_by_itself(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        await hand.hears("/streamvace/tempo/beats_a_bar", 3)
        await hand.sees(f"{LIT} === '000'")
        show.beat = Beat(7.25, 1.0, running=True, at=100.0)  # slow: no beat passes by itself meanwhile
        await hand.sees(f"{LIT} === '010'")
        await hand.does("pass(46_000)")
        assert await hand.does(LIT) == "001"
        await hand.does("pass(60_000)")
        assert await hand.does(LIT) == "100"
        show.beat = Beat(7.25, 1.0, running=False, at=101.0)
        await hand.sees(f"{LIT} === '010'")
        await hand.does("pass(120_000)")
        assert await hand.does(LIT) == "010", "it stands"
        await hand.hears("/streamvace/tempo/beats_a_bar", 12)
        assert await hand.does(LIT) == "000100", "half as many dots, of two beats each"

    in_a_browser(tabs, show, act)


def test_sound_moves_the_meter_while_there_is_any(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        assert await hand.does("by('sound').hidden")
        show.sound = {"level": 0.5, "low": 1.0, "low_mid": 0.25, "high_mid": 0.0, "high": 0.75, "hits": 0.9}
        await hand.sees("!by('sound').hidden")
        heights = "all('#sound i').map(each => each.style.getPropertyValue('--level')).join()"
        assert await hand.does(heights) == "0.5,1,0.25,0,0.75"
        assert await hand.does("by('sound').lastElementChild.style.opacity") == "0.9"
        show.sound = {}
        await hand.sees("by('sound').hidden")

    in_a_browser(tabs, show, act)


def test_the_tempo_is_tapped_by_the_button_and_by_the_key_and_says_who_leads(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        fired = lambda: show.parameters.snapshot().fired["/streamvace/tempo/tap"]  # noqa: E731
        await hand.clicks("by('tap')")
        await hand.everything_has_arrived()
        assert fired() == 1, "once: by the press, not by the click again"
        await hand.does("document.activeElement.blur()")
        await hand.page.key("t", 84, "t")
        await hand.everything_has_arrived()
        assert fired() == 2
        show.osc.publish(f"{STATUS}tapped", 117.6)
        show.osc.publish(f"{STATUS}tempo_master", "free")
        await hand.sees("by('tap').textContent === 'Tap 118' && by('tempo-box').matches('.low')")

    in_a_browser(tabs, show, act)
