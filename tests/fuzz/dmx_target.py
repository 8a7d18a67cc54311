"""What must hold for any bytes that reach the port of a light desk. No sockets: the fuzzer calls `check`."""

from __future__ import annotations

from collections.abc import Iterator

import osc_schema
from streamvace.control.coercion import coerce
from streamvace.dmx import artnet, sacn
from streamvace.dmx.desk_input import Counters, DeskInput, Input, Settings
from streamvace.dmx.packets import SLOTS, Levels, PacketError
from tests.dmx.desk import art_dmx, art_poll, sacn_data
from tests.fuzz.target import Target

INPUTS: tuple[Input, ...] = ("artnet", "sacn")


def check(data: bytes) -> None:
    """Raises AssertionError, or whatever the code under test should not have raised."""
    for kind in INPUTS:
        packet, problem = _parsed(data, kind)
        assert "\n" not in problem
        assert len(problem) < 200
        if isinstance(packet, Levels):
            assert len(packet.levels) <= SLOTS
            assert 0 <= packet.universe <= 63999
            assert packet.priority <= sacn.MOST_PRIORITY
    for kind in INPUTS:
        _check_input(data, kind)


def _parsed(data: bytes, kind: Input) -> tuple[Levels | artnet.Poll | None, str]:
    """What the bytes are, or why they are nothing."""
    try:
        return (sacn.parse(data) if kind == "sacn" else artnet.parse(data, "203.0.113.1")), ""
    except PacketError as error:
        return None, str(error)


def _check_input(data: bytes, kind: Input) -> None:
    """The packet between two good ones: the show gets values that it takes, and lines stay lines."""
    counters = Counters()
    desk = DeskInput(Settings(kind, 1, 1), counters, lambda: ("dusk",))
    good = (art_dmx if kind == "artnet" else sacn_data)(b"\xff" * SLOTS, 1)
    for at, packet in enumerate((data, good, data)):
        answer = desk.take(packet, "203.0.113.1", at / 10)
        assert answer is None or len(answer) == artnet.POLL_REPLY_SIZE
        for address, arguments in desk.due(at / 10):
            row = osc_schema.by_address()[address]
            assert coerce(row, arguments).status == "set", (address, arguments)
    assert all("\n" not in news.line for news in desk.news())
    assert counters.packets + counters.dropped + counters.faults <= 3
    assert len(desk.told()) < 1000


def seeds() -> Iterator[bytes]:
    """Good packets of both protocols, and those that are bad in one place."""
    levels = bytes(range(256)) * 2
    yield from (art_dmx(levels, 1, 5), art_dmx(b"\xff\1", 0), art_poll(), art_poll(0x20, 0, 9))
    yield from (art_dmx(levels, version=13), art_dmx(b""), art_dmx(bytes(600)))
    yield from (sacn_data(levels, 1, 5), sacn_data(b"", 1), sacn_data(levels, 1, options=0xC0, priority=200))
    yield from (sacn_data(levels, 0), sacn_data(levels, 1, code=0xDD), sacn_data(bytes(600)))
    yield sacn_data(levels, 1, name="\x1b[2J\n" * 12)


TARGET = Target("dmx", seeds, check, rounds=600)
