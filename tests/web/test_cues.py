"""Cues on the page: tiles to play, a mode to edit, and ten seconds to take an edit back."""

from __future__ import annotations

from streamvace.control.parameters import PROMPT
from tests.web.devtools import Browser
from tests.web.show import Hand, Show, in_a_browser

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
