"""The status strip: what the show does, in one word that never looks better than it is."""

from __future__ import annotations

import pytest

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
