"""A fader under a real hand: where it goes, where it catches, and how fine it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.patience import PATIENCE_S
from tests.web.devtools import LOOK_S, Browser
from tests.web.show import Hand, Show, in_a_browser

ALT, SHIFT = 1, 8
RATE, SCALE = "/streamvace/output_rate", "/streamvace/context_scale"


async def drag(hand: Hand, name: str, to: float, held: int = 0, begin: float | None = None) -> None:
    """Drag from a place of the row (its value's, without one) to another, both 0..1."""
    left, wide, y = await hand.does(
        f"(at => [at.x, at.width, at.y + at.height / 2])(thumb('{name}').getBoundingClientRect())"
    )
    start = left + wide * (0.5 if begin is None else begin)
    mouse: dict[str, Any] = {"y": y, "button": "left", "clickCount": 1, "modifiers": held}
    for kind, x in (("mousePressed", start), ("mouseMoved", left + wide * to), ("mouseReleased", left + wide * to)):
        await hand.page.ask("Input.dispatchMouseEvent", type=kind, x=x, buttons=int(kind != "mouseReleased"), **mouse)


async def place_of(hand: Hand, name: str) -> float:
    return (
        float(await hand.does(f"parseFloat(line('{name}').querySelector('.fill').style.getPropertyValue('--at'))"))
        / 100
    )


async def until(reached: Callable[[], bool]) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not reached():
        assert asyncio.get_running_loop().time() < deadline, "never so"
        await asyncio.sleep(LOOK_S)


async def wheel(hand: Hand, name: str, up: int) -> None:
    x, y = await hand.does(f"middle(thumb('{name}'))")
    await hand.page.ask("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-100 * up)


def test_a_fader_has_its_scale_catches_usual_values_and_is_as_fine_as_the_hand_wants(tabs: Browser, show: Show) -> None:
    """One browser for all of it: a second costs more than the gestures do."""

    async def act(hand: Hand) -> None:
        # The rate's range is logarithmic: its middle is the geometric one. Near 50 the fader catches.
        row = show.parameters.schema[RATE]
        low, high = row.minimum or 0, row.maximum or 0
        await drag(hand, "output_rate", 0.5, begin=await place_of(hand, "output_rate"))
        assert round((low * high) ** 0.5) == 15
        await hand.becomes(RATE, 15.0)
        near_fifty = await hand.does(f"Math.log(50.4 / {low}) / Math.log({high} / {low})")
        await drag(hand, "output_rate", near_fifty)
        await hand.becomes(RATE, 50.0)
        # Shift is a tenth of the way and is not caught.
        await drag(hand, "context_scale", 0.7, SHIFT, begin=0.5)
        await until(lambda: abs(show.parameters.snapshot().number(SCALE) - 1.04) < 0.002)
        # The wheel moves only the fader in focus; Shift with it is a thousandth of the range.
        await hand.does("document.activeElement.blur()")
        await wheel(hand, "context_scale", 1)
        await hand.does("thumb('context_scale').focus()")
        await wheel(hand, "context_scale", 1)
        await until(lambda: abs(show.parameters.snapshot().number(SCALE) - 1.06) < 0.002)
        # With Alt the show hears the end only, over the fade time.
        show.parameters.set("/streamvace/fade_time", (30.0,), "another surface")
        await hand.sees("box('fade_time').value === '30 s'")
        await drag(hand, "context_scale", 0.9, ALT, begin=0.53)
        await until(lambda: SCALE in show.parameters.on_the_way())
        assert abs(float(str(show.parameters.on_the_way()[SCALE])) - 1.8) < 0.02
        assert show.parameters.snapshot().number(SCALE) < 1.2, "it fades for half a minute"

    in_a_browser(tabs, show, act, "edit")


def test_changed_advanced_and_favourites_choose_what_is_shown(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        shown = "all('details.group .control').filter(each => each.checkVisibility()).map(each => each.dataset.address)"
        await hand.does("by('search').value = 'hint'; by('search').oninput()")
        assert await hand.does(f"{shown}.length > 0"), "a search finds advanced parameters, too"
        await hand.does("by('search').value = ''; by('search').oninput()")
        await hand.does("all('details.group').forEach(each => { each.open = true; })")
        plain = await hand.does(f"{shown}.length")
        await hand.does("by('advanced').click(); all('details.group').forEach(each => { each.open = true; })")
        assert await hand.does(f"{shown}.length") > plain
        await hand.does("by('advanced').click()")
        show.parameters.set("/streamvace/seed", (7,), "another surface")
        await hand.does("by('changed').click()")
        await hand.sees(f"{shown}.join() === '/streamvace/seed'")
        await hand.does("by('changed').click()")
        await hand.does("line('seed').querySelector('.star').click()")
        assert await hand.does("localStorage['streamvace:favourites'].includes('seed')") is False
        await hand.does("line('seed').querySelector('.star').click(); all('#layouts button')[0].click()")
        last = "by('favourite-list').lastElementChild.dataset.address"
        assert await hand.does(last) == "/streamvace/seed", "a new favourite is the last of eight"
        assert await hand.does("by('favourite-list').childElementCount") == 8

    in_a_browser(tabs, show, act, "edit")
