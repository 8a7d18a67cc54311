"""Kinds whose network is not downloaded are greyed beforehand, and the show has the last word."""

from __future__ import annotations

from tests.web.devtools import Browser
from tests.web.show import Hand, Show, in_a_browser

KIND, SOURCE = "/streamvace/control_kind", "/streamvace/mask_source"
FIX = "streamvace models pull vision"
LACK = {"why": f"the pose control needs pose.tflite, which is not in /models; `{FIX}`", "fix": FIX}


def test_a_missing_kind_is_grey_with_the_reason_and_the_command_and_no_more_after_the_download(
    tabs: Browser, show: Show
) -> None:
    show.lacking = {KIND: {"pose": LACK}, SOURCE: {"person": LACK}}
    pose = "line('control_kind').querySelector('[data-choice=pose]')"

    async def act(hand: Hand) -> None:
        await hand.sees(f"{pose}.ariaDisabled === 'true'")
        assert await hand.does(f"{pose}.title") == LACK["why"]
        assert await hand.does("all('#kinds [aria-disabled]').length") == 1
        said = "line('control_kind').querySelector('.lacks')"
        assert await hand.does(f"{said}.querySelector('summary').textContent") == "pose: missing"
        assert await hand.does(f"{said}.querySelector('div').firstChild.textContent") == (
            "the pose control needs pose.tflite, which is not in /models"
        )
        assert await hand.does(f"{said}.querySelector('code').textContent") == FIX
        assert await hand.does("by('inputs').querySelector('[data-choice=person]').textContent") == "person (missing)"
        await hand.clicks(pose)
        await hand.becomes(KIND, "pose")  # the files may have come this moment: the show decides
        show.lacking = {KIND: {}, SOURCE: {}}
        await hand.sees("all('[data-choice][aria-disabled], .lacks').length === 0")
        assert await hand.does("by('inputs').querySelector('[data-choice=person]').textContent") == "person"

    in_a_browser(tabs, show, act, "edit")
