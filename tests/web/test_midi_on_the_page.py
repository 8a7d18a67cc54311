"""MIDI and modulators on the page: a click learns a knob, a control shows what plays it and moves with a modulator."""

from __future__ import annotations

from tests.web.devtools import Browser
from tests.web.show import SCALE, Hand, Show, in_a_browser
from tests.web.test_fader import until

LEARN, FORGET, CANCEL = (f"/streamvace/midi/{name}" for name in ("learn", "forget", "cancel"))
KNOB = {"control": "Keys, channel 1, cc 7", "there": True, "feedback": False, "shared": []}
GONE = {"control": "Pads, note 36", "there": False, "feedback": False, "shared": []}
EMPTY: dict[str, object] = {"learn": "", "learned": "", "last": "", "devices": ["Keys"], "maps": {}}
STRENGTH = "line('context_scale')"


def test_a_click_in_learning_mode_asks_for_a_knob_and_sets_nothing(tabs: Browser, show: Show) -> None:
    show.midi = EMPTY
    before = show.parameters.snapshot()[SCALE]

    async def arrived(hand: Hand, address: str) -> None:
        await hand.sees(f"[...by('arrivals').children].some(each => each.textContent.includes('{address[12:]}'))")

    async def act(hand: Hand) -> None:
        await hand.does("by('arrivals-box').open = true")
        await hand.clicks("by('midi')")
        await hand.sees("!by('midi-line').hidden")
        assert await hand.does("by('midi-line').textContent") == "Click a control, then move a knob."
        await hand.clicks("thumb('context_scale')")
        await arrived(hand, LEARN)
        show.midi = EMPTY | {"learn": SCALE, "learned": "move the control"}
        await hand.sees(f"{STRENGTH}.classList.contains('waits')")
        assert "move the control" in await hand.does("by('midi-line').textContent")
        show.midi = EMPTY | {"maps": {SCALE: [KNOB, GONE]}, "last": "Keys, channel 1, cc 7: 64"}
        await hand.sees(f"{STRENGTH}.querySelectorAll('.maps span').length === 2")
        assert await hand.does(f"{STRENGTH}.querySelector('.maps .gone').textContent") == GONE["control"]
        assert "cc 7: 64" in await hand.does("by('midi-line').textContent")
        await hand.clicks(f"{STRENGTH}.querySelector('.forget')")
        await arrived(hand, FORGET)
        await hand.does("dispatchEvent(new KeyboardEvent('keydown', {key: 'Escape', bubbles: true}))")
        await hand.sees("by('midi-line').hidden && by('midi').ariaPressed === 'false'")
        assert show.parameters.snapshot()[SCALE] == before
        await hand.drags("thumb('context_scale')", 40)
        await until(lambda: show.parameters.snapshot()[SCALE] != before)  # outside of learning the fader is a fader

    in_a_browser(tabs, show, act, "edit")


def test_without_a_device_learning_mode_says_what_to_do(tabs: Browser, show: Show) -> None:
    show.midi = EMPTY | {"devices": []}

    async def act(hand: Hand) -> None:
        await hand.clicks("by('midi')")
        await hand.sees("by('midi-line').textContent.startsWith('No MIDI device is open.')")

    in_a_browser(tabs, show, act, "edit")


def test_a_modulated_fader_shows_its_base_and_a_mark_that_moves(tabs: Browser, show: Show) -> None:
    show.midi = EMPTY
    show.live = {SCALE: 1.5}
    fader = f"{STRENGTH}.querySelector('.fader')"

    async def act(hand: Hand) -> None:
        await hand.sees(f"{fader}.classList.contains('modulated')")
        assert await hand.does(f"{fader}.style.getPropertyValue('--now')") == "75%"
        base = await hand.does(f"{fader}.querySelector('.fill').style.getPropertyValue('--at')")
        show.live = {SCALE: 9.0}
        await hand.sees(f"{fader}.style.getPropertyValue('--now') === '100%'")
        assert await hand.does(f"{fader}.querySelector('.fill').style.getPropertyValue('--at')") == base
        show.live = {}
        await hand.sees(f"!{fader}.classList.contains('modulated')")

    in_a_browser(tabs, show, act, "edit")
