"""What a page is told of MIDI, and how it lets a control be learned."""

from __future__ import annotations

from tests.web.show import SCALE, Client, Show, connect

LEARN = "/streamvace/midi/learn"


def test_a_page_is_told_the_controls_of_each_parameter_and_what_was_moved_last(show: Show) -> None:
    control = {"control": "Keys, channel 1, cc 7", "there": True, "feedback": False, "shared": []}
    show.midi = {"learn": "", "learned": "", "last": "", "devices": ["Keys"], "maps": {SCALE: [control]}}

    async def act(client: Client) -> None:
        await client.until(lambda told: "midi" in told.told)
        assert client.told["midi"] == show.midi
        show.midi = {**show.midi, "last": "Keys, channel 1, cc 7: 64"}
        await client.until(lambda told: told.told["midi"]["last"] != "")

    connect(show.web, act)


def test_a_page_may_ask_for_a_control_to_be_learned(show: Show) -> None:
    async def act(client: Client) -> None:
        await client.set(LEARN, SCALE)
        await client.until(lambda told: any(each["address"] == LEARN for each in told.arrivals))

    connect(show.web, act)
