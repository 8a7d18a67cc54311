"""One universe of a desk, from datagrams to messages and lines."""

from __future__ import annotations

import pytest

from streamvace.dmx.desk_input import MOST_A_SECOND, Counters, DeskInput, Settings
from streamvace.dmx.personality import channels
from tests.dmx.desk import art_dmx, art_poll, sacn_data, universe

AT = {channel.name: channel.at for channel in channels("8_bit")}
SCALE = "/streamvace/context_scale"


class Bench:
    """A desk's input with a clock that is moved by hand."""

    def __init__(self, **settings: object) -> None:
        self.counters = Counters()
        self.now = 0.0
        self.input = DeskInput(Settings(**settings), self.counters, lambda: ("dusk", "dawn"))  # type: ignore[arg-type]

    def take(self, *packets: bytes, host: str = "10.0.0.5") -> list[bytes]:
        """Packets arrive; the answers."""
        answers = [self.input.take(packet, host, self.now) for packet in packets]
        return [answer for answer in answers if answer is not None]

    def sent(self) -> dict[str, object]:
        return {address: arguments[0] for address, arguments in self.input.due(self.now)}

    def lines(self) -> list[str]:
        return [news.line for news in self.input.news()]


def levels(start: int = 1, **faders: int) -> bytes:
    return universe(**{f"c{AT[name.replace('__', '/')] + start - 1}": level for name, level in faders.items()})


@pytest.mark.parametrize(("kind", "packet"), [("artnet", art_dmx), ("sacn", sacn_data)])
def test_the_fixture_begins_at_its_first_channel(kind: str, packet: object) -> None:
    bench = Bench(input=kind, universe=7, channel=100)
    bench.take(packet(levels(100, enable=255, context_scale=255), 7))  # type: ignore[operator]
    assert bench.sent()[SCALE] == 2.0
    assert bench.sent() == {}  # nothing new
    assert bench.input.enabled


def test_a_desk_that_comes_is_told_by_its_name() -> None:
    bench = Bench(input="sacn", universe=7)
    bench.take(sacn_data(levels(), 7, name="front of house", priority=120))
    bench.sent()
    assert bench.lines() == ["front of house (priority 120) is there, on universe 7"]
    assert bench.input.told() == "front of house (priority 120)"


def test_other_universes_are_counted_and_told_once() -> None:
    bench = Bench(input="artnet", universe=7)
    bench.take(*(art_dmx(levels(), number) for number in (8, 9, 10)))
    assert (bench.counters.packets, bench.counters.dropped) == (0, 3)
    assert bench.lines() == ["universe 8 arrives too; only 7 is used (dmx/universe)"]


def test_a_lost_desk_leaves_everything_as_it_is_and_is_told() -> None:
    bench = Bench(input="sacn", universe=7)
    bench.take(sacn_data(levels(enable=255), 7))
    bench.sent()
    bench.lines()
    bench.now = 2.6
    assert bench.sent() == {}
    assert bench.lines() == ["no levels on universe 7 any more; everything stays as it is"]
    assert bench.counters.losses == 1
    assert not bench.input.enabled
    bench.take(sacn_data(levels(enable=255), 7, 1))
    assert bench.sent() == {}  # the same levels as before
    assert bench.lines() == ["desk (priority 100) is there, on universe 7"]


def test_a_lost_desk_recalls_the_cue_that_is_named_and_counts_anew_when_it_is_back() -> None:
    bench = Bench(input="sacn", universe=7, lost_cue="dusk")
    bench.take(sacn_data(levels(enable=255, context_scale=255), 7))
    bench.sent()
    bench.now = 2.6
    assert bench.sent() == {"/streamvace/cue/recall": "dusk"}
    assert bench.sent() == {}
    bench.take(sacn_data(levels(enable=255, context_scale=255), 7, 1))
    assert bench.sent()[SCALE] == 2.0


def test_an_art_net_desk_is_lost_after_ten_seconds() -> None:
    """Older ones repeat what has not changed every four."""
    bench = Bench(input="artnet", universe=7)
    bench.take(art_dmx(levels(), 7))
    bench.sent()
    bench.now = 10.0
    bench.sent()
    assert bench.counters.losses == 0
    bench.now = 10.1
    bench.sent()
    assert bench.counters.losses == 1


def test_a_stream_that_ends_is_a_loss_at_once() -> None:
    bench = Bench(input="sacn", universe=7)
    bench.take(sacn_data(levels(), 7))
    bench.sent()
    bench.take(sacn_data(levels(), 7, 1, options=0x40))
    bench.sent()
    assert bench.counters.losses == 1


def test_a_preview_and_other_start_codes_steer_nothing() -> None:
    bench = Bench(input="sacn", universe=7)
    bench.take(sacn_data(levels(enable=255), 7, options=0x80), sacn_data(levels(enable=255), 7, 1, code=0xDD))
    assert bench.sent() == {}
    assert bench.lines() == ["desk sends a preview, which steers nothing"]


def test_a_third_art_net_desk_is_told_and_left_out() -> None:
    bench = Bench(input="artnet", universe=7)
    for host in ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.3"):
        bench.take(art_dmx(levels(), 7), host=host)
    assert (bench.counters.packets, bench.counters.dropped) == (2, 2)
    assert bench.lines() == ["10.0.0.3 is one sender too many; it waits for another to stop"]


def test_damaged_packets_are_counted_and_told_once() -> None:
    bench = Bench(input="artnet", universe=7)
    bench.take(b"x", art_dmx(b""), b"")
    assert bench.counters.faults == 3
    assert bench.lines() == ["no Art-Net packet of 1 bytes (from 10.0.0.5); status/dmx_faults counts them"]


def test_a_flood_is_cut_counted_and_told_once() -> None:
    bench = Bench(input="artnet", universe=7)
    bench.take(*[art_dmx(levels(), 7)] * (MOST_A_SECOND + 10))
    assert (bench.counters.packets, bench.counters.dropped) == (MOST_A_SECOND, 10)
    assert bench.lines() == ["more than 4000 datagrams a second; status/dmx_dropped counts the rest"]
    bench.now = 0.5
    bench.take(*[art_dmx(levels(), 7)] * 3000)
    assert bench.counters.packets == MOST_A_SECOND + 2000


def test_a_poll_is_answered_if_it_asks_for_this_universe() -> None:
    bench = Bench(input="artnet", universe=0x123)
    assert len(bench.take(art_poll())[0]) == 239
    assert bench.take(art_poll(0x20, 0x123, 0x200))
    assert not bench.take(art_poll(0x20, 0, 0x122))


def test_nobody_gets_more_answers_than_a_controller_asks_for() -> None:
    bench = Bench(input="artnet")
    assert len(bench.take(*[art_poll()] * 50)) == 4
    assert len(bench.take(*[art_poll()] * 50, host="10.0.0.6")) == 4
    bench.now = 2.5
    assert len(bench.take(*[art_poll()] * 50)) == 2
