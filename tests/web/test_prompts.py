"""Prompts A and B on the page: what plays, what is not sent yet, and the crossfade between them."""

from __future__ import annotations

from streamvace.control.parameters import PROMPT
from tests.web.devtools import Browser
from tests.web.show import WRITER, Hand, Show, in_a_browser

MIX = "/streamvace/prompts"


def test_unsent_words_look_unsent_and_stay_until_they_are_sent_or_taken_back(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        await hand.types("by('prompt')", "half a thou", end="")
        assert await hand.does("by('prompt').matches('.unsent') && !by('unsent-a').hidden")
        await hand.hears(PROMPT, "neon green")
        assert await hand.does("by('prompt').value") == "half a thou"
        await hand.does("by('prompt').blur()")
        await hand.hears(PROMPT, "neon blue")
        assert await hand.does("by('prompt').value + by('prompt').className") == "half a thouunsent"
        await hand.types("by('prompt')", "half a thought", end="Escape")
        assert await hand.does("by('prompt').value + by('prompt').className") == "neon blue"
        await hand.types("by('prompt')", "two", end="")
        await hand.page.key("Enter", 13, "\r", shift=True)
        await hand.page.ask("Input.insertText", text="lines")
        await hand.everything_has_arrived()
        assert await hand.does("by('prompt').value") == "two\nlines"
        assert show.parameters.snapshot()[PROMPT] == "neon blue"
        await hand.types("by('prompt')", "", end="Escape")
        show.parameters.set(PROMPT, ("glass",), WRITER)
        await hand.sees("by('prompt').value === 'glass'")

    in_a_browser(tabs, show, act)


def test_a_second_prompt_is_readied_and_faded_to_and_a_mix_of_others_is_shown(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        await hand.types("by('prompt')", "glass")
        await hand.becomes(PROMPT, "glass")
        await hand.types("by('prompt-b')", "clay")
        await hand.becomes(MIX, (("glass", 1.0), ("clay", 0.0)))
        wide = await hand.does("by('crossfader').querySelector('.fader').clientWidth")
        await hand.does("window.cross = by('crossfader').querySelector('[role=slider]')")
        await hand.clicks("cross")
        await hand.becomes(MIX, (("glass", 0.5), ("clay", 0.5)))
        await hand.sees("by('share-a').textContent + by('share-b').textContent === '50 %50 %'")
        await hand.drags("cross", wide)
        await hand.becomes(MIX, (("glass", 0.0), ("clay", 1.0)))
        await hand.sees("!by('prompt').parentElement.matches('.playing')")
        show.parameters.set(MIX, ((("red", 0.25), ("blue", 0.75)),), WRITER)
        await hand.sees("by('prompt').value + by('prompt-b').value === 'redblue' && cross.ariaValueNow === '0.75'")
        show.osc.publish("/streamvace/status/prompt", "red 25 % + blue 75 %")
        await hand.sees("by('on-show').textContent === 'on show: red 25 % + blue 75 %'")

    in_a_browser(tabs, show, act)


def test_the_arrow_up_brings_back_what_was_sent(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        for words in ("first", "second"):
            await hand.types("by('prompt')", words)
            await hand.becomes(PROMPT, words)
        await hand.does("by('prompt').focus()")
        for key, code, words in (("ArrowUp", 38, "second"), ("ArrowUp", 38, "first"), ("ArrowDown", 40, "second")):
            await hand.page.key(key, code)
            assert await hand.does("by('prompt').value") == words
        await hand.page.key("ArrowUp", 38)
        await hand.page.key("Enter", 13, "\r")
        await hand.becomes(PROMPT, "first")

    in_a_browser(tabs, show, act)
