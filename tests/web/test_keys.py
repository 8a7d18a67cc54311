"""The keyboard of the page: Go, cues, full screen and search, and the keys that stay with the control in focus."""

from __future__ import annotations

from streamvace.control.parameters import PROMPT
from tests.web.devtools import Browser
from tests.web.show import WRITER, Hand, Show, in_a_browser


def test_space_is_go_after_a_click_and_stays_with_a_control_that_the_keyboard_reached(
    tabs: Browser, show: Show
) -> None:
    async def act(hand: Hand) -> None:
        await hand.clicks("all('#kinds button')[1]")
        await hand.becomes("/streamvace/control_kind", "gray")
        await hand.page.key(" ", 32, " ")
        await hand.becomes(PROMPT, "neon blue")
        await hand.does("all('#kinds button')[0].focus()")
        await hand.page.key(" ", 32, " ")
        await hand.becomes("/streamvace/control_kind", "raw")
        assert show.osc.values()[PROMPT] == "neon blue", "no second Go"
        await hand.types("by('prompt-b')", "a b ", end="")
        await hand.page.key(" ", 32, " ")
        assert await hand.does("by('prompt-b').value") == "a b  "
        await hand.does("document.activeElement.blur()")
        await hand.page.key("2", 50, "2")
        await hand.becomes(PROMPT, "glossy red")
        await hand.page.key(" ", 32, " ", shift=True)
        await hand.becomes(PROMPT, "neon blue")

    in_a_browser(tabs, show, act)


def test_f_is_full_screen_and_slash_is_search_but_where_one_types(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        await hand.does("window.asked = 0; stage.requestFullscreen = () => { asked += 1; }")
        for place, held in (("body", "shift"), ("#prompt", "shift"), ("#cue-name", "shift"), ("body", "ctrl")):
            key = f"new KeyboardEvent('keydown', {{key: 'f', bubbles: true, {held}Key: true}})"
            await hand.does(f"document.querySelector('{place}').dispatchEvent({key})")
            assert await hand.does("asked") == 1, (place, held)
        await hand.page.key("/", 191, "/")
        assert await hand.does("document.activeElement.id + document.body.dataset.layout") == "searchedit"
        await hand.page.ask("Input.insertText", text="chroma spill")
        seen = "all('#inputs .control, #looks .control, #outputs .control').filter(each => each.checkVisibility())"
        assert await hand.does(f"{seen}.map(each => each.dataset.address)") == ["/streamvace/mask/chroma_spill"]
        await hand.page.key("Escape", 27)
        show.parameters.set("/streamvace/mask_source", ("luma",), WRITER)
        await hand.does("box('mask_source'); all('details.group').forEach(each => { each.open = true; })")
        names = f"{seen}.map(each => each.dataset.address).join()"
        await hand.sees(f"{names}.includes('mask/luma_low') && !{names}.includes('chroma')")
        await hand.does("document.activeElement.blur()")
        await hand.page.key("Escape", 27)
        assert await hand.does("document.activeElement.closest('#panic') !== null")

    in_a_browser(tabs, show, act)


def test_news_open_and_close_no_group_that_the_hand_has_opened_or_closed(tabs: Browser, show: Show) -> None:
    source, group = "/streamvace/mask_source", "document.querySelector('details.group[data-group=mask]')"

    async def act(hand: Hand) -> None:
        # Opened this moment: the browser has not told the page yet when the news come.
        await hand.does(f"{group}.ontoggle = null; {group}.open = true")
        await hand.hears(source, "luma")
        await hand.sees(f"{group}.innerText.includes('Luma low')")
        await hand.hears("/streamvace/mask/luma_low", 0.25)
        await hand.does("by('changed').click()")
        await hand.clicks(f"{group}.querySelector('summary')")
        await hand.hears("/streamvace/mask/luma_high", 0.75)
        assert not await hand.does(f"{group}.open"), "closed by hand among what has changed"
        await hand.does("by('changed').click(); by('changed').click()")
        assert await hand.does(f"{group}.open"), "what is looked for is shown"

    in_a_browser(tabs, show, act, "edit")


def test_the_width_chooses_the_layout_and_the_hand_and_the_address_change_it(tabs: Browser, show: Show) -> None:
    layout = "document.body.dataset.layout"

    async def act(hand: Hand) -> None:
        assert await hand.does(layout) == "stage"
        await hand.clicks("all('#layouts button')[1]")
        assert await hand.does(f"{layout} + location.pathname") == "edit/edit"
        await hand.does("localStorage.clear()")

    async def in_the_pocket(hand: Hand) -> None:
        size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
        await hand.page.ask("Emulation.setDeviceMetricsOverride", **size)
        await hand.sees(f"{layout} === 'phone'")
        assert await hand.does("document.documentElement.scrollWidth") == 390
        small = (
            "all('button, input, textarea, summary').filter(each => each.checkVisibility() && each.clientHeight < 40)"
        )
        for tab in range(4):
            await hand.does(f"all('#tabs button')[{tab}].click()")
            assert await hand.does(f"{small}.map(each => each.outerHTML)") == []

    in_a_browser(tabs, show, act, "")
    in_a_browser(tabs, show, in_the_pocket, "")
