"""Pictures and films come to the show by a drop, a choice of file or a tile, and each asks for its use."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S
from tests.real_parts import require_package
from tests.video.helpers import until
from tests.web.devtools import LOOK_S, Browser
from tests.web.media_rig import GOOD, MediaRig
from tests.web.show import Hand, Show, in_a_browser
from tests.web.test_accessibility import RUN

TARGETS = {
    "Reference": "/streamvace/reference/add",
    "First frame": "/streamvace/first_frame",
    "Last frame": "/streamvace/last_frame",
    "Mask": "/streamvace/input/mask",
}


@pytest.fixture
def rig(tmp_path: Path) -> MediaRig:
    return MediaRig(tmp_path / "media")


@pytest.fixture
def served(rig: MediaRig) -> Iterator[Show]:
    running = Show(parts=rig.parts)
    yield running
    running.close()
    rig.library.close()


def event(kind: str, at: str, name: str, mime: str) -> str:
    """A drag event with a file, as a browser sends it when a file comes from the desktop."""
    return f"""(() => {{
      const carried = new DataTransfer();
      carried.items.add(new File([{GOOD.decode()!r}], {json.dumps(name)}, {{type: {mime!r}}}));
      {at}.dispatchEvent(new DragEvent({kind!r}, {{dataTransfer: carried, bubbles: true, cancelable: true}}));
    }})()"""


async def said(show: Show, address: str, name: str) -> None:
    """The page has sent this."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not any(row["address"] == address and name in str(row["arguments"]) for row in show.osc.arrivals()):
        assert asyncio.get_running_loop().time() < deadline, f"{address} {name} was not sent"
        await asyncio.sleep(LOOK_S)


def test_a_picture_dropped_on_one_of_four_targets_is_stored_and_used_there(
    tabs: Browser, served: Show, rig: MediaRig
) -> None:
    async def act(hand: Hand) -> None:
        for number, (label, address) in enumerate(TARGETS.items()):
            name = f"{number}.png"
            await hand.does(event("dragenter", "document.body", name, "image/png"))
            assert await hand.does("all('#drop .target').map(each => each.textContent)") == list(TARGETS)
            target = f"all('#drop .target').find(each => each.textContent === {label!r})"
            await hand.does(event("drop", target, name, "image/png"))
            assert await hand.does("by('drop').hidden"), "the targets go with the drop"
            await said(served, address, f"uploads/{name}")
        await hand.becomes("/streamvace/mask_source", "input")  # else the mask would do nothing
        await hand.does(event("dragenter", "document.body", "a.mp4", "video/mp4"))
        assert await hand.does("all('#drop .target').map(each => each.textContent)") == ["Input"]
        await hand.does(event("drop", "all('#drop .target')[0]", "a.mp4", "video/mp4"))
        await said(served, "/streamvace/input/control", "uploads/a.mp4")
        await hand.does(event("dragenter", "document.body", "bad.png", "image/png").replace(GOOD.decode(), "torn"))
        await hand.does(event("drop", "all('#drop .target')[0]", "bad.png", "image/png").replace(GOOD.decode(), "torn"))
        await hand.sees("by('line').textContent === 'bad.png is damaged; save it again'")
        assert "uploads/bad.png" not in rig.stored()

    in_a_browser(tabs, served, act)


def test_the_menu_of_inputs_is_a_dialog_that_asks_for_the_use_of_a_picture_and_axe_finds_nothing_in_it(
    tabs: Browser, served: Show, rig: MediaRig
) -> None:
    require_package("axe_core_python", "pip install axe-core-python")
    axe = files("axe_core_python").joinpath("axe.min.js").read_text("utf-8")
    rig.media.place("cat.png").write_bytes(GOOD)

    async def act(hand: Hand) -> None:
        await hand.does(f"{axe}; 0")
        await hand.clicks("by('open-sources')")
        await hand.sees("all('#source-list .look').length === 1 && all('#media-list .look').length === 1")
        assert await hand.does("by('source-problems').textContent") == "no display"
        assert await hand.does(RUN) == [], "the menu"
        await hand.does("all('#media-list .look')[0].click()")
        assert await hand.does("all('#target-list button').map(each => each.textContent)") == list(TARGETS)
        assert await hand.does(RUN) == [], "the question"
        await hand.does("all('#target-list button')[1].click()")
        await hand.becomes("/streamvace/first_frame", "cat.png")
        assert await hand.does("by('sources').open || by('targets').open") is False
        await hand.clicks("by('open-sources')")
        await hand.does("""(() => {
          const chosen = new DataTransfer();
          chosen.items.add(new File(['good'], 'own.png', {type: 'image/png'}));
          by('add-file').files = chosen.files;
          by('add-file').onchange();
        })()""")
        await hand.sees("by('targets').open && by('upload').textContent === 'uploads/own.png is in the media folder'")
        await hand.page.key("Escape", 27)
        await hand.sees("!by('targets').open")
        await hand.sees("all('#media-list .look').length === 2")
        await hand.does("all('#source-list .look')[0].click()")
        await hand.becomes("/streamvace/input/control", "ndi:PC (Out)")

    in_a_browser(tabs, served, act)


def test_the_folder_of_a_finished_recording_opens_by_one_press_or_the_page_says_why_not(
    tabs: Browser, served: Show, rig: MediaRig
) -> None:
    async def act(hand: Hand) -> None:
        assert not await hand.does("by('rec-open').checkVisibility()"), "there is no recording yet"
        served.osc.publish("/streamvace/status/recording", "recordings/take.mp4")
        await hand.sees("by('rec-file').textContent === 'take.mp4'")
        assert not await hand.does("by('rec-open').checkVisibility()"), "half a film is in no folder"
        served.osc.publish("/streamvace/status/recorded", "recordings/take.mp4")
        served.osc.publish("/streamvace/status/recording", "")
        await hand.sees("by('rec-open').checkVisibility()")
        await hand.clicks("by('rec-open')")
        await asyncio.to_thread(until, lambda: rig.opened == [rig.root / "recordings"])
        rig.headless = "no program shows folders here"
        await hand.clicks("by('rec-open')")
        await hand.sees("by('line').textContent === 'no program shows folders here' && !by('line').hidden")
        await asyncio.to_thread(served.web.close)
        await hand.sees("by('word').textContent === 'OFFLINE'")
        assert not await hand.does("by('rec-open').checkVisibility()")
        assert await hand.does("by('recorded').inert"), "nobody is there to send the film either"

    in_a_browser(tabs, served, act)


def test_a_long_press_shows_the_help_and_a_finger_that_moves_or_lifts_does_not(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        # The page waits for 0.6 s of a press; its clock is turned forward instead.
        await hand.does("""(() => {
          window.waiting = new Map();
          const real = window.setTimeout, clear = window.clearTimeout;
          window.setTimeout = (act, ms, ...more) => {
            if (ms !== 600) return real(act, ms, ...more);
            waiting.set(waiting.size + 1e6, act);
            return waiting.size - 1 + 1e6;
          };
          window.clearTimeout = id => { waiting.delete(id); clear(id); };
        })()""")
        await hand.does("thumb('fade_time')")

        def touch(kind: str, x: int = 10) -> str:
            shape = f"{{pointerType: 'touch', clientX: {x}, clientY: 10, bubbles: true}}"
            return f"thumb('fade_time').dispatchEvent(new PointerEvent({kind!r}, {shape}))"

        for end in (touch("pointerup"), touch("pointermove", 40)):
            await hand.does(f"{touch('pointerdown')}; {end}")
            assert await hand.does("waiting.size") == 0
        await hand.does(f"{touch('pointerdown')}; [...waiting.values()][0]()")
        assert await hand.does("by('help').open")
        assert "/streamvace/fade_time" in await hand.does("by('help-text').textContent")

    in_a_browser(tabs, show, act)
