"""The control panel: what a page is told, what it may set, and how a hand in a real browser steers the show."""

from __future__ import annotations

import socket

import pytest

import osc_schema
from streamvace.control.parameters import PROMPT
from streamvace.osc.codec import encode_message
from tests.web.devtools import Browser
from tests.web.show import HAND_MS, SCALE, WRITER, Client, Hand, Show, connect, in_a_browser


def test_a_page_is_told_every_parameter_its_value_and_the_cues(show: Show) -> None:
    async def act(client: Client) -> None:
        await client.until(lambda told: bool(told.cues))
        assert [row["address"] for row in client.panel["schema"]] == list(osc_schema.by_address())
        assert client.cues == ["blue", "red"]
        held = {row.address for row in osc_schema.load() if row.default is not None}
        assert set(client.values) == held

    connect(show.web, act)


def test_what_it_sets_is_set_and_what_others_set_is_told(show: Show) -> None:
    async def act(client: Client) -> None:
        await client.set(SCALE, 0.25)
        await client.set("/streamvace/prompts", "a", 0.5, "b", 1)
        await client.set("/streamvace/mask_source", "alpha")
        await client.until(lambda told: told.values.get("/streamvace/mask_source") == "alpha")
        assert show.parameters.snapshot()[SCALE] == 0.25
        assert show.parameters.snapshot()["/streamvace/prompts"] == (("a", 0.5), ("b", 1.0))
        show.parameters.set("/streamvace/seed", (7,), "somebody else")
        await client.until(lambda told: told.values["/streamvace/seed"] == 7)

    connect(show.web, act)


def test_a_page_is_told_what_arrives_from_every_sender_once(show: Show) -> None:
    async def act(client: Client) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as desk:
            desk.sendto(encode_message(SCALE, 3.5), ("127.0.0.1", show.osc.port))
            await client.until(lambda told: bool(told.arrivals))
            [clamped] = client.arrivals
            assert clamped["from"] == f"127.0.0.1:{desk.getsockname()[1]}"
        assert (clamped["address"], clamped["arguments"], clamped["fate"]) == (SCALE, "3.5", "clamped")
        assert "got 3.5, used 2" in clamped["why"]
        await client.set("/streamvace/seed", 7)
        await client.until(lambda told: len(told.arrivals) > 1)
        [_, own] = client.arrivals
        assert (own["from"], own["address"], own["fate"]) == ("the page", "/streamvace/seed", "applied")

    connect(show.web, act)


def test_a_refusal_is_told_with_its_control_and_the_value_that_rules_to_every_page(show: Show) -> None:
    async def act(client: Client) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as desk:
            desk.sendto(encode_message(SCALE, "much"), ("127.0.0.1", show.osc.port))
        await client.until(lambda told: bool(told.told.get("refusals")))
        row = client.told["refusals"][SCALE]
        assert (row["asked"], row["ruling"], row["lasts"]) == ("'much'", 1.0, False)
        assert row["why"] == "takes one float 0..2, got 'much'"

    connect(show.web, act)


def test_cues_and_glides_work_from_the_panel(show: Show) -> None:
    async def act(client: Client) -> None:
        await client.set("/streamvace/cue/go")
        await client.until(lambda told: told.values.get(PROMPT) == "neon blue")
        await client.set("/streamvace/cue/recall", "red", 2)
        await client.until(lambda told: told.values.get(PROMPT) == "glossy red")
        await client.set("/streamvace/cue/store", "mine")
        await client.until(lambda told: told.cues == ["blue", "red", "mine"])
        await client.set(f"{SCALE}/to", 2.0, 10, "ease")
        await client.set("/streamvace/seed", 7)
        await client.until(lambda told: told.values["/streamvace/seed"] == 7)
        assert show.parameters.on_the_way() == {SCALE: 2.0}
        assert client.lines == []

    connect(show.web, act)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({"address": SCALE, "arguments": [9]}, "takes one float 0..2, got 9, used 2"),
        ({"address": SCALE, "arguments": ["much"]}, "got 'much'"),
        ({"address": SCALE, "arguments": [{"a": 1}]}, "cannot encode"),
        ({"address": SCALE, "arguments": 1}, "invalid message from the page"),
        ({"address": "/streamvace/status/fps", "arguments": [1]}, "the panel cannot set"),
        ({"address": "/streamvace/subscribe", "arguments": [9001]}, "the panel cannot set"),
        ({"address": "/streamvace/*", "arguments": [1]}, "the panel cannot set"),
        ({"address": 5, "arguments": []}, "the panel cannot set"),
        ({"address": "/streamvace/cue/recall", "arguments": ["nope"]}, "there is no cue 'nope'"),
        ({}, "invalid message from the page"),
        ([], "invalid message from the page"),
    ],
)
def test_a_mistake_is_one_line_on_the_panel(show: Show, said: object, line: str) -> None:
    async def act(client: Client) -> None:
        await client.socket.send_json(said)
        await client.until(lambda told: bool(told.lines))
        assert line in client.lines[0]

    connect(show.web, act)


def test_a_real_browser_makes_a_control_for_every_parameter(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        page = await hand.does("document.documentElement.outerHTML")
        for row in osc_schema.load():
            if row.access == "write" and row.address != PROMPT and row.group != "cues":
                assert f"\n{row.address}" in page, "the help of its control names the address"
        assert ">blue</button>" in page

    in_a_browser(tabs, show, act)


def test_a_hand_in_a_real_browser_steers_the_show(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        await hand.does("enter('a red sphere')")
        await hand.becomes(PROMPT, "a red sphere")
        await hand.does("for (const value of [0.1, 0.9, 0.5]) drag('Control strength', value)")
        await hand.becomes(SCALE, 0.5)
        await hand.does("box('Mask invert').click()")
        await hand.becomes("/streamvace/mask_invert", True)
        await hand.does("press('.segments', 'slerp')")
        await hand.becomes("/streamvace/prompt_blend", "slerp")
        await hand.sees("all('.segments .on').some(each => each.textContent === 'slerp')")
        await hand.does("press('#cue-list', 'blue')")
        await hand.becomes(PROMPT, "neon blue")
        await hand.does("document.getElementById('cue-name').value = 'mine'; press('#store', 'Store')")
        await hand.sees("all('#cue-list button').some(each => each.textContent === 'mine')")
        await hand.does("press('#glide-seconds', '8 s'); drag('Control strength', 2)")
        await hand.does("box('Seed').value = 7; box('Seed').onchange()")
        await hand.becomes("/streamvace/seed", 7)
        assert show.parameters.on_the_way() == {SCALE: 2.0}
        show.parameters.set("/streamvace/seed", (1234,), WRITER)
        await hand.sees("box('Seed').value === '1234'")
        assert await hand.does("document.getElementById('line').hidden")

    in_a_browser(tabs, show, act)


def test_what_is_being_typed_stays_whatever_others_set(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        for box, address, others in (
            ("document.getElementById('prompt')", PROMPT, "neon green"),
            ("all('.row input')[0]", "/streamvace/prompts", (("neon green", 1.0),)),
        ):
            await hand.does(f"{box}.focus(); {box}.value = 'half a thou'")
            await hand.hears(address, others)
            assert await hand.does(f"{box}.value") == "half a thou"
            await hand.does(f"{box}.blur()")
        show.parameters.set(PROMPT, ("glass",), WRITER)
        await hand.sees("document.getElementById('prompt').value === 'glass'")

    in_a_browser(tabs, show, act)


def test_a_slider_under_the_hand_does_not_move_by_itself(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        await hand.does("window.clock = Date.now(); Date.now = () => clock; drag('Control strength', 0.5)")
        await hand.becomes(SCALE, 0.5)
        await hand.hears(SCALE, 1.5)
        assert await hand.does("box('Control strength').value") == "0.5"
        await hand.does(f"clock += {HAND_MS + 1}")
        await hand.hears(SCALE, 1.25)
        assert await hand.does("box('Control strength').value") == "1.25"

    in_a_browser(tabs, show, act)


def test_a_value_out_of_range_comes_back_as_what_is_held(tabs: Browser, show: Show) -> None:
    show.parameters.set(SCALE, (2.0,), WRITER)

    async def act(hand: Hand) -> None:
        number = "all('input[type=number]').find(each => each.ariaLabel === 'Control strength')"
        await hand.sees(f"{number}.value === '2'")
        await hand.does(f"{number}.value = '9'; {number}.onchange()")
        await hand.sees("document.getElementById('line').textContent.includes('got 9, used 2')")
        await hand.sees(f"{number}.value === '2'")

    in_a_browser(tabs, show, act)


def test_a_mix_of_prompts_is_written_and_taken_out_box_by_box(tabs: Browser, show: Show) -> None:
    mix = "/streamvace/prompts"

    async def act(hand: Hand) -> None:
        await hand.does("window.boxes = () => all('.row input[type=text]')")
        await hand.does("window.write = (i, words) => { boxes()[i].value = words; boxes()[i].onchange(); }")
        await hand.does("write(0, ' blue glass ')")
        await hand.becomes(mix, (("blue glass", 1.0),))
        await hand.sees("boxes().length === 2")
        await hand.does("write(1, 'red clay')")
        await hand.becomes(mix, (("blue glass", 1.0), ("red clay", 1.0)))
        await hand.does("write(0, '')")
        await hand.becomes(mix, (("red clay", 1.0),))
        await hand.sees("boxes()[0].value === 'red clay'")
        await hand.does("write(0, '')")
        await hand.becomes(mix, ())

    in_a_browser(tabs, show, act)


def test_a_prompt_of_the_mix_that_was_just_left_is_sent_although_others_set_the_mix(tabs: Browser, show: Show) -> None:
    mix = "/streamvace/prompts"

    async def act(hand: Hand) -> None:
        await hand.does("window.clock = Date.now(); Date.now = () => clock")
        await hand.does("window.held = []; window.later = setTimeout")
        await hand.does("window.setTimeout = (act, ms) => ms < 100 ? held.push(act) : later(act, ms)")
        await hand.does("window.first = all('.row input[type=text]')[0]; first.value = 'blue'; first.onchange()")
        await hand.hears(mix, (("red clay", 1.0),))
        await hand.does("held.shift()()")
        await hand.becomes(mix, (("blue", 1.0),))

    in_a_browser(tabs, show, act)


def test_what_cannot_be_taken_back_is_asked_for_twice(tabs: Browser, show: Show) -> None:
    """Quitting by two clicks, deleting a cue by a click with Alt, sending a prompt by Enter without Shift."""

    async def act(hand: Hand) -> None:
        await hand.does("window.leave = all('button').find(each => each.textContent === 'Quit'); leave.click()")
        await hand.everything_has_arrived()
        assert await hand.does("leave.textContent") == "Sure?"
        assert show.parameters.snapshot().fired["/streamvace/quit"] == 0
        await hand.does("leave.click()")
        await hand.everything_has_arrived()
        assert show.parameters.snapshot().fired["/streamvace/quit"] == 1

        await hand.does("document.getElementById('cue-name').value = 'mine'; press('#store', 'Store')")
        await hand.sees("all('#cue-list button').some(each => each.textContent === 'mine')")
        await hand.does("press('#cue-list', 'mine')")
        await hand.everything_has_arrived()
        assert show.osc.cues() == ("blue", "red", "mine")
        alt = "new MouseEvent('click', {altKey: true})"
        await hand.does(f"all('#cue-list button').find(each => each.textContent === 'mine').dispatchEvent({alt})")
        await hand.sees("all('#cue-list button').length === 2")

        held = show.parameters.snapshot()[PROMPT]
        await hand.does("enter('two', new KeyboardEvent('keydown', {key: 'Enter', shiftKey: true}))")
        await hand.everything_has_arrived()
        assert show.parameters.snapshot()[PROMPT] == held

    in_a_browser(tabs, show, act)
