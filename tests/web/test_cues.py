"""Cues on the page: tiles to play, a mode to edit, and ten seconds to take an edit back."""

from __future__ import annotations

import asyncio

import aiohttp

from streamvace.control.parameters import PROMPT
from tests.live.show import wait_until
from tests.web.devtools import Browser
from tests.web.show import SCALE, Hand, Show, in_a_browser

STATUS = "/streamvace/status/"
NAMES = "all('[data-cue]').map(each => each.dataset.cue).join()"


def test_a_tile_recalls_and_go_says_what_comes_next_how_long_and_how_far_it_is(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        assert await hand.does(NAMES) == "blue,red"
        await hand.clicks("all('[data-cue]')[1]")
        await hand.becomes(PROMPT, "glossy red")
        told = {"cue": "red", "cue_next": "blue", "cue_next_fade": 4.0, "cue_fade": 8.0, "cue_left": 2.0}
        for name, value in told.items():
            show.osc.publish(STATUS + name, value)
        await hand.sees("by('go').innerText.split(/\\s+/).join(' ').trim() === 'Go blue 4 s'")
        assert await hand.does("by('go-progress').value") == 0.75
        assert await hand.does("document.querySelector('.look.next').dataset.cue") == "blue"
        assert await hand.does("[by('go').clientWidth >= 118, by('go').clientHeight >= 70].join()") == "true,true"
        show.osc.publish(f"{STATUS}cue_fade", 0.0)
        await hand.sees("by('go-progress').hidden")

    in_a_browser(tabs, show, act)


def test_the_editor_sets_the_number_and_the_times_and_an_empty_box_takes_them_away(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        await hand.clicks("by('edit-cues')")
        for label, typed, key, held in (
            ("No.", "2.5", "number", 2.5),
            ("Wait", "3", "wait", 3.0),
            ("Follow", "20", "follow", 20.0),
            ("At", "bar 17.1", "at", "bar 17.1"),
        ):
            await hand.types(f"all('[aria-label=\"{label} of blue\"]')[0]", typed)
            await hand.sees(f"all('[aria-label=\"{label} of blue\"]')[0].dataset.shown === '{typed}'")
            assert show.cues.tiles()[0][key] == held
        assert await hand.does("document.querySelector('.look .under').textContent") == "No. 2.5, at bar 17.1"
        assert await hand.does("document.querySelector('.look').title") == (
            "comes at bar 17.1, waits 3 s, the next follows after 20 s"
        )
        await hand.types("all('[aria-label=\"At of blue\"]')[0]", "noon")
        await hand.sees("by('line').textContent.includes(\"got 'noon'\")")
        for label in ("No.", "Wait", "Follow", "At"):
            await hand.does(
                f"(box => {{ box.value = ''; box.onchange(); }})(all('[aria-label=\"{label} of blue\"]')[0])"
            )
            await hand.sees(f"all('[aria-label=\"{label} of blue\"]')[0].dataset.shown === ''")
        assert [show.cues.tiles()[0][key] for key in ("number", "wait", "follow", "at")] == [None, 0.0, None, None]

    in_a_browser(tabs, show, act)


def test_the_values_of_a_cue_are_changed_without_a_change_of_what_plays(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        await hand.clicks("all('[data-cue]')[0]")
        await hand.becomes(PROMPT, "neon blue")
        before = dict(show.parameters.snapshot().values)
        await hand.clicks("by('edit-cues')")
        await hand.clicks("all('[aria-label=\"Values of blue\"]')[0]")
        await hand.sees("all('.cue-value').length === 2")
        await hand.types(
            "document.querySelector('[data-address=\"/streamvace/context_scale\"].cue-value input')", "0.25"
        )
        await hand.sees("!by('cue-undo').hidden")
        await hand.does("""(() => {
            const menu = document.querySelector('#cue-values-more select');
            menu.value = '/streamvace/mask_invert';
            menu.onchange();
            all('.cue-value').find(each => each.dataset.address.endsWith('mask_invert')).querySelector('input').click();
            all('.cue-value').find(each => each.dataset.address.endsWith('/prompt')).querySelector('button').click();
        })()""")
        wait_until(
            lambda: show.cues.values("blue") == {SCALE: 0.25, "/streamvace/mask_invert": True}, "what the cue sets now"
        )
        assert await hand.does("all('.cue-value').length") == 2
        assert dict(show.parameters.snapshot().values) == before

    in_a_browser(tabs, show, act)


def test_the_values_of_a_cue_that_is_not_there_are_not_found(show: Show) -> None:
    async def ask() -> tuple[int, object, int]:
        async with aiohttp.ClientSession() as session:
            there = await session.get(f"{show.web.url}cue-values.json", params={"cue": "red"})
            gone = await session.get(f"{show.web.url}cue-values.json", params={"cue": "a/../b"})
            return there.status, await there.json(), gone.status

    assert asyncio.run(ask()) == (200, {PROMPT: "glossy red"}, 404)


def test_the_page_says_what_comes_by_itself_and_how_the_list_plays(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        assert await hand.does("by('cue-coming').hidden && by('cue-run').hidden")
        show.osc.publish(f"{STATUS}cue_coming", "red")
        show.osc.publish(f"{STATUS}cue_follows_in", 74.2)
        await hand.sees("by('cue-coming').checkVisibility() && by('cue-coming').textContent === 'red in 1:15'")
        show.osc.publish(f"{STATUS}cue", "blue")
        show.osc.publish(f"{STATUS}cue_waits", 2.5)
        await hand.sees("by('cue-coming').textContent === 'blue begins in 3 s'")
        await hand.clicks("by('edit-cues')")
        await hand.clicks("document.querySelector('#cue-run summary')")
        await hand.does("press('#cue-run', 'yours')")
        await hand.becomes("/streamvace/cue_loop", "yours")

    in_a_browser(tabs, show, act)


def test_only_the_edit_mode_changes_cues_and_every_edit_can_be_taken_back(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        assert await hand.does("all('.cue-edit').length") == 0
        await hand.clicks("by('edit-cues')")
        assert await hand.does("all('.cue-edit').length") == 2
        await hand.types("document.querySelector('.cue-edit input')", "dusk")
        await hand.sees(f"{NAMES} === 'dusk,red'")
        await hand.clicks("all('[aria-label=\"Move down dusk\"]')[0]")
        await hand.sees(f"{NAMES} === 'red,dusk'")
        await hand.clicks("all('[aria-label=\"Delete dusk\"]')[0]")
        await hand.sees(f"{NAMES} === 'red'")
        await hand.clicks("by('cue-undo')")
        await hand.sees(f"{NAMES} === 'red,dusk' && by('cue-undo').hidden")
        await hand.types("by('cue-name')", "mine")
        await hand.sees(f"{NAMES} === 'red,dusk,mine'")
        assert await hand.does("by('line').hidden")

    in_a_browser(tabs, show, act)
