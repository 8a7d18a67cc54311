"""The control panel: what a page is told, what it may set, and how a hand in a real browser steers the show."""

from __future__ import annotations

import socket

import pytest

import osc_schema
from streamvace.control.parameters import PROMPT
from streamvace.osc.codec import encode_message
from tests.web.devtools import Browser
from tests.web.show import HAND_MS, SCALE, WRITER, Client, Hand, Show, connect, constant, in_a_browser


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
        assert "limited to 2 (range 0-2), got 3.5" in clamped["why"]
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
        ({"address": SCALE, "arguments": [9]}, "limited to 2 (range 0-2), got 9"),
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


def test_the_page_has_a_control_for_every_parameter(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        made = set(await hand.does("all('.control').map(each => each.dataset.address)"))
        elsewhere = ("prompt", "record", "seed/random", "blackout", "freeze", "hard_cut", "undo", "redo")
        for row in osc_schema.load():
            if row.access == "write" and row.group != "cues" and row.name not in elsewhere:
                assert row.address in made
        assert await hand.does("all('[data-cue]').map(each => each.dataset.cue)") == ["blue", "red"]

    in_a_browser(tabs, show, act, "edit")


def test_a_hand_steers_the_show(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        await hand.types("by('prompt')", "a red sphere")
        await hand.becomes(PROMPT, "a red sphere")
        await hand.does("press('#kinds', 'edges')")
        await hand.becomes("/streamvace/control_kind", "edges")
        await hand.sees("all('#kinds [aria-pressed=true]').map(each => each.textContent).join() === 'edges'")
        await hand.does("box('video_to_video').click()")
        await hand.becomes("/streamvace/video_to_video", True)
        await hand.sees("line('follow_motion') !== undefined")
        await hand.does("press('#cue-list', 'blue')")
        await hand.becomes(PROMPT, "neon blue")
        await hand.does("by('cue-name').value = 'mine'; press('#store', 'Store')")
        await hand.sees("all('[data-cue]').some(each => each.dataset.cue === 'mine')")
        show.parameters.set("/streamvace/seed", (1234,), WRITER)
        await hand.sees("box('seed').value === '1234'")
        assert await hand.does("by('line').hidden && all('.said').length === 0")

    in_a_browser(tabs, show, act, "edit")


def test_a_fader_follows_the_hand_over_its_whole_row_and_shift_is_a_tenth(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        wide = await hand.does("line('context_scale').querySelector('.fader').clientWidth")
        for by, shift, value in ((wide / 4, False, 1.5), (-wide / 4, True, 1.45)):
            await hand.drags("thumb('context_scale')", by, shift=shift)
            await hand.becomes(SCALE, pytest.approx(value))
        await hand.clicks("thumb('context_scale')", button="right")
        await hand.becomes(SCALE, 1.0)
        await hand.does("thumb('context_scale').focus()")
        await hand.page.key("ArrowRight", 39)
        await hand.becomes(SCALE, pytest.approx(1.02))
        await hand.page.key("ArrowLeft", 37, shift=True)
        await hand.becomes(SCALE, pytest.approx(1.018))

    in_a_browser(tabs, show, act)


def test_a_fader_under_the_hand_does_not_move_by_itself(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        await hand.does("window.clock = Date.now(); Date.now = () => clock; give('context_scale', 0.5)")
        await hand.becomes(SCALE, 0.5)
        await hand.hears(SCALE, 1.5)
        assert await hand.does("box('context_scale').value") == "0.5"
        await hand.does(f"clock += {HAND_MS + 1}")
        await hand.hears(SCALE, 1.25)
        assert await hand.does("box('context_scale').value") == "1.25"

    in_a_browser(tabs, show, act)


def test_a_control_that_comes_into_view_under_the_hand_shows_what_was_set_meanwhile_after_it(
    tabs: Browser, show: Show
) -> None:
    seen = f"import('/lines.js').then(lines => lines.isSeen('{SCALE}'))"

    async def act(hand: Hand) -> None:
        await hand.sees(seen)
        await hand.does("window.kept = line('context_scale'); kept.style.display = 'none'")
        await hand.sees(f"{seen}.then(found => !found)")
        await hand.hears(SCALE, 1.5)
        await hand.does("window.clock = Date.now(); Date.now = () => clock")
        await hand.does(f"import('/store.js').then(store => store.touch('{SCALE}'))")
        await hand.does("kept.style.display = ''")
        await hand.sees(seen)
        await hand.does(f"clock += {HAND_MS + 1}")
        await hand.sees("box('context_scale').value === '1.5'")

    in_a_browser(tabs, show, act)


def test_a_switch_that_waits_for_the_beat_shows_what_it_becomes_and_a_second_press_takes_it_back(
    tabs: Browser, show: Show
) -> None:
    control = "/streamvace/control"

    async def act(hand: Hand) -> None:
        assert await hand.does("box('control').checked")
        show.waiting = {control: False, SCALE: 0.25}
        await hand.sees("!box('control').checked && line('control').matches('.at-beat')")
        scale = await hand.does("box('context_scale').value")
        assert float(scale) == show.parameters.snapshot()[SCALE], "a fader shows what rules"
        await hand.clicks("box('control')")
        await hand.everything_has_arrived()
        assert show.parameters.snapshot()[control] is True, "the press asks for the other value"
        show.waiting = {}
        await hand.does(f"pass({HAND_MS + 100})")
        await hand.sees("box('control').checked && !line('control').matches('.at-beat')")

    in_a_browser(tabs, show, act, "edit")


def test_a_refusal_stands_beside_its_control_which_shows_the_value_that_rules(tabs: Browser, show: Show) -> None:
    show.parameters.set(SCALE, (2.0,), WRITER)

    async def act(hand: Hand) -> None:
        await hand.sees("box('context_scale').value === '2'")
        await hand.types("box('context_scale')", "9")
        await hand.sees(
            "line('context_scale').querySelector('.said')?.textContent.includes('limited to 2 (range 0-2), got 9')"
        )
        await hand.sees("box('context_scale').value === '2'")
        assert await hand.does("by('line').hidden")
        # Addresses are told short, a folder that is called the same is whole, and the command stands there once.
        show.refusals.note(SCALE, "9", "/streamvace/seed needs /home/a/streamvace/models; `doctor`", "doctor")
        await hand.sees("line('context_scale').querySelector('.said').textContent.startsWith('seed needs')")
        assert await hand.does("line('context_scale').querySelector('.said').textContent") == (
            "seed needs /home/a/streamvace/modelsdoctor"
        )

    in_a_browser(tabs, show, act)


def test_what_is_being_typed_stays_whatever_others_set(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        await hand.types("box('prompts')", "half a thou", end="")
        await hand.hears("/streamvace/prompts", (("neon green", 1.0),))
        assert await hand.does("box('prompts').value") == "half a thou"

    in_a_browser(tabs, show, act, "edit")


def test_a_mix_of_prompts_is_written_and_taken_out_box_by_box(tabs: Browser, show: Show) -> None:
    mix = "/streamvace/prompts"

    async def act(hand: Hand) -> None:
        await hand.does("window.boxes = () => line('prompts') && all('.row input[type=text]')")
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

    in_a_browser(tabs, show, act, "edit")


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

    in_a_browser(tabs, show, act, "edit")


def test_undo_and_redo_are_keys_and_buttons(tabs: Browser, show: Show) -> None:
    async def act(hand: Hand) -> None:
        await hand.does("give('context_scale', 0.25)")
        await hand.becomes(SCALE, 0.25)
        await hand.does("document.activeElement.blur()")
        await hand.page.key("z", 90, control=True)
        await hand.becomes(SCALE, 1.0)
        await hand.page.key("Z", 90, control=True, shift=True)
        await hand.becomes(SCALE, 0.25)
        show.osc.publish("/streamvace/status/undo", "Control strength")
        await hand.sees("!by('undo').disabled && by('undo').title === 'Control strength'")
        await hand.clicks("by('undo')")
        await hand.becomes(SCALE, 1.0)

    in_a_browser(tabs, show, act, "edit")


def test_quit_is_asked_for_twice(tabs: Browser, show: Show) -> None:
    sure_ms = constant("controls.js", "SURE_MS")
    quits = lambda: show.parameters.snapshot().fired["/streamvace/quit"]  # noqa: E731

    async def act(hand: Hand) -> None:
        # The question ends when the test says so: on a busy machine its time is over before the second click.
        await hand.does(f"""(() => {{
          window.asked = [];
          const later = window.setTimeout;
          window.setTimeout = (act, ms, ...more) => ms === {sure_ms} ? asked.push(act) : later(act, ms, ...more);
          window.leave = all('button').find(each => each.textContent === 'Quit');
        }})()""")
        await hand.does("leave.click()")
        assert await hand.does("leave.textContent") == "Sure?"
        await hand.does("asked.shift()()")
        assert await hand.does("leave.textContent") == "Quit"
        await hand.does("leave.click()")
        await hand.everything_has_arrived()
        assert quits() == 0
        await hand.does("leave.click()")
        await hand.everything_has_arrived()
        assert quits() == 1

    in_a_browser(tabs, show, act, "edit")
