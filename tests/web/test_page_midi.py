"""The MIDI of a page's browser: what it sends is checked, and it is told what its devices are told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from streamvace.system.errors import UserError
from streamvace.web.page_midi import INVALID, MOST_BYTES, MOST_DEVICES, MOST_MESSAGES, MOST_WAITING, PageMidi
from tests.web.devtools import Browser
from tests.web.show import Client, Hand, Show, connect, in_a_browser
from tests.web.test_fader import until


class Door:
    """Takes every device but one that is called `busy`."""

    def __init__(self) -> None:
        self.names: dict[int, str] = {}
        self.sends: dict[int, Callable[[bytes], None]] = {}
        self.heard: list[tuple[str, float, bytes]] = []
        self.here = [False]

    def open(self, name: str, send: Callable[[bytes], None], *, here: bool) -> int:
        if name == "busy":
            raise UserError("busy is open already")
        port = 100 + len(self.sends)
        self.names[port], self.sends[port], self.here = name, send, [here]
        return port

    def hear(self, port: int, when: float, data: bytes) -> None:
        self.heard.append((self.names[port], when, data))

    def close(self, port: int) -> None:
        del self.names[port]


def page(act: Callable[[PageMidi, Door], None]) -> None:
    async def go() -> None:
        door = Door()
        act(PageMidi(door, here=True, clock=lambda: 50_000_000_000), door)

    asyncio.run(go())


def test_messages_go_to_the_device_that_sent_them_with_the_time_at_which_they_came() -> None:
    def act(midi: PageMidi, door: Door) -> None:
        assert midi.handle({"midi_devices": {"0": "Twister", "3": "Pads"}}) == []
        assert door.here == [True]
        said = [[3, 250, 0x90, 36, 1], [0, 0.5, 0xB0, 7, 64], [5, 0, 0xFA], [0, -3, 0xFA], [0, 9e9, 0xF8]]
        assert midi.handle({"midi": said}) == []
        assert door.heard == [
            ("Pads", 49.75, b"\x90\x24\x01"),
            ("Twister", 49.9995, b"\xb0\x07\x40"),
            ("Twister", 50.0, b"\xfa"),
            ("Twister", 49.0, b"\xf8"),
        ]

    page(act)


def test_devices_come_and_go_and_one_that_is_refused_is_said_once() -> None:
    def act(midi: PageMidi, door: Door) -> None:
        assert midi.handle({"midi_devices": {"0": "Twister", "1": "busy"}}) == ["busy is open already"]
        assert midi.handle({"midi_devices": {"0": "Twister", "1": "busy", "2": "Pads"}}) == []
        assert sorted(door.names.values()) == ["Pads", "Twister"]
        assert midi.handle({"midi_devices": {"2": "Pads"}}) == []
        assert list(door.names.values()) == ["Pads"]
        midi.close()
        assert door.names == {}

    page(act)


@pytest.mark.parametrize(
    "said",
    [
        *({"midi_devices": each} for each in (None, 7, [], "x", {"a": "b"}, {"0": 7}, {"-1": "x"}, {"": "x"})),
        {"midi_devices": {str(number): "x" for number in range(MOST_DEVICES + 1)}},
        *({"midi": each} for each in (None, {}, "x", [7], [[]], [[0, 0]], [[0, 0, 256]], [[0, 0, -1]], [[0, 0, 1.5]])),
        *({"midi": each} for each in ([[True, 0, 1]], [[0, True, 1]], [[0, 0, True]], [["0", 0, 1]], [[0, None, 1]])),
        *({"midi": each} for each in ([[0, float("nan"), 1]], [[0, float("inf"), 1]], [[0, 0, 1], [0, 0, "1"]])),
        {"midi": [[0, 0, *[1] * (MOST_BYTES + 1)]]},
        {"midi": [[0, 0, 0xF8]] * (MOST_MESSAGES + 1)},
        {"midi": [[MOST_DEVICES, 0, 0xF8]]},
    ],
)
def test_what_is_no_midi_is_refused_whole(said: dict[str, Any]) -> None:
    def act(midi: PageMidi, door: Door) -> None:
        midi.handle({"midi_devices": {"0": "Twister"}})
        assert midi.handle(said) == [INVALID]
        assert (list(door.names.values()), door.heard) == (["Twister"], [])

    page(act)


def test_what_a_device_is_told_waits_for_the_page_and_in_a_flood_the_newest_stay() -> None:
    async def go() -> None:
        door = Door()
        midi = PageMidi(door, here=False)
        midi.handle({"midi_devices": {"4": "Motor"}})
        (send,) = door.sends.values()
        flood = threading.Thread(target=lambda: [send(bytes((0xB0, 7, n % 128))) for n in range(MOST_WAITING + 5)])
        flood.start()
        await asyncio.to_thread(flood.join)
        await asyncio.sleep(0)
        told = midi.news()
        assert (len(told), told[-1], midi.news()) == (MOST_WAITING, [4, 0xB0, 7, (MOST_WAITING + 4) % 128], [])

    asyncio.run(go())


def test_a_page_that_leaves_takes_its_devices_with_it(show: Show) -> None:
    door = show.panel.door = Door()

    async def act(client: Client) -> None:
        await client.socket.send_json({"midi_devices": {"0": "Twister"}})
        await asyncio.to_thread(until_true, lambda: bool(door.names))
        (send,) = door.sends.values()
        send(b"\xb0\x07\x40")
        await client.until(lambda told: told.told.get("midi_out") == [[0, 0xB0, 7, 0x40]])
        await client.socket.send_json({"midi": [[0, 0, 999]]})
        await client.until(lambda told: told.lines == [INVALID])

    connect(show.web, act)
    until_true(lambda: not door.names)


def test_a_show_without_midi_says_so(show: Show) -> None:
    async def act(client: Client) -> None:
        await client.socket.send_json({"midi_devices": {"0": "Twister"}})
        await client.until(lambda told: told.lines == ["the show takes no MIDI yet"])

    connect(show.web, act)


def until_true(reached: Callable[[], bool]) -> None:
    asyncio.run(until(reached))


STUB = """
  window.port = name => ({ name, state: "connected", sent: [], send(data) { this.sent.push([...data].join()); } });
  window.midi = { inputs: new Map([["a", port("Twister")]]), outputs: new Map([["b", port("Twister")]]) };
  navigator.requestMIDIAccess = () => window.refuses ? Promise.reject(new Error("denied")) : Promise.resolve(midi);
  window.plays = (name, ...data) => [...midi.inputs.values()].find(each => each.name === name)
    .onmidimessage?.({ timeStamp: performance.now(), data: new Uint8Array(data) });
"""


def test_the_devices_of_the_browser_play_after_a_press_of_the_button_and_until_the_next(
    tabs: Browser, show: Show
) -> None:
    door = show.panel.door = Door()
    why = "by('web-midi-why').textContent"

    async def act(hand: Hand) -> None:
        await hand.does(STUB)
        await hand.clicks("by('midi')")
        await hand.does("plays('Twister', 0xB0, 7, 1)")
        await hand.everything_has_arrived()
        assert not door.names, "off until the button is pressed"
        await hand.does("window.refuses = true")
        await hand.clicks("by('web-midi')")
        await hand.sees(f"{why} === 'The browser does not open MIDI: denied' && !by('web-midi').disabled")
        await hand.does("window.refuses = false")
        await hand.clicks("by('web-midi')")
        await hand.sees(f"{why} === 'Open in this browser: Twister' && by('web-midi').ariaPressed === 'true'")
        await hand.does("plays('Twister', 0xB0, 7, 64); plays('Twister', 0xB0, 7, 65)")
        await until(lambda: [data for _, _, data in door.heard] == [b"\xb0\x07\x40", b"\xb0\x07\x41"])
        await hand.does("midi.inputs.set('c', port('Pads')); midi.onstatechange()")
        await until(lambda: sorted(door.names.values()) == ["Pads", "Twister"])
        next(send for port, send in door.sends.items() if door.names[port] == "Twister")(b"\xb0\x07\x20")
        await hand.sees("midi.outputs.get('b').sent.join() === '176,7,32'")
        await hand.does("midi.inputs.get('a').state = 'disconnected'; midi.onstatechange()")
        await until(lambda: list(door.names.values()) == ["Pads"])
        await hand.clicks("by('web-midi')")
        await until(lambda: not door.names)
        assert await hand.does("midi.inputs.get('c').onmidimessage") is None

    in_a_browser(tabs, show, act, "edit")


def test_a_page_that_may_not_open_midi_says_why(tabs: Browser, show: Show) -> None:
    for without, words in (
        ("Object.defineProperty(window, 'isSecureContext', { value: false });", "only for localhost and for HTTPS"),
        ("Object.defineProperty(navigator, 'requestMIDIAccess', { value: undefined });", "has no MIDI"),
    ):

        async def go(without: str = without, words: str = words) -> None:
            async with tabs.open(f"{show.web.url}edit", without) as page:
                await page.until("document.getElementById('web-midi').disabled")
                assert words in await page.run("document.getElementById('web-midi-why').textContent")

        asyncio.run(go())
