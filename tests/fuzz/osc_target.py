"""What must hold for any bytes that reach the OSC port, over UDP or TCP. No sockets: the fuzzer calls `check`."""

from __future__ import annotations

import math
from collections.abc import Iterator

import osc_schema
from streamvace.control.commands import Commands
from streamvace.control.cue_list import CueList
from streamvace.control.cues import Cue
from streamvace.control.fades import Fade
from streamvace.control.parameters import Parameters
from streamvace.osc.codec import (
    MAX_ARGUMENTS,
    MAX_MESSAGES,
    MAX_VALUES,
    Argument,
    Message,
    OscError,
    decode,
    encode_message,
)
from streamvace.osc.complaints import MAX_COMPLAINTS
from streamvace.osc.framing import MAX_PACKET, Framing, Unframer, frame
from streamvace.osc.inbox import MAX_REQUESTS, Inbox
from streamvace.osc.schedule import HORIZON
from tests.control.coerced import coerced
from tests.fuzz.target import TOKENS, Target, damaged
from tests.osc.clock import Clock
from tests.osc.packets import HEAD, SCALE, bundle, hostile, nested

NOW = 1_800_000_000.0
"""Seconds since 1970: the clock of every run, so that the same bytes always do the same."""
UDP, TCP = ("203.0.113.1", 9), ("tcp:203.0.113.1", 9)

CUES = (
    Cue("a", coerced({SCALE: 0.5, "/streamvace/prompt": "dusk"}), Fade(2.0)),
    Cue("b", coerced({"/streamvace/pause": True})),
)

START = Parameters().snapshot().values
TRIGGERS = tuple(row.address for row in osc_schema.load() if row.type == "trigger")


def check(data: bytes) -> None:
    """Raises AssertionError, or whatever the code under test should not have raised."""
    packets = _check_framing(data)
    messages = [message for packet in (data, *packets) for message in _decoded(packet)]
    _check_inbox(data, packets, messages)


def seeds() -> Iterator[bytes]:
    """Where to start from: every hostile packet, good messages to every address, bundles, streams of both framings."""
    for kind in hostile(NOW).values():
        yield from kind
    good = [
        encode_message(row.address, *osc_schema.flat(row.default))
        for row in osc_schema.load()
        if row.default is not None
    ]
    good += [encode_message(address) for address in TRIGGERS]
    good += [encode_message(service.address, 9001) for service in osc_schema.services()]
    yield from good
    yield encode_message("/streamvace/{seed,context_*}", 0.5)
    yield encode_message("/streamvace/prompts", "red", 0.5, "blue", 2.0)
    yield encode_message(f"{SCALE}/to", 0.5, 2, "ease")
    yield encode_message("/streamvace/cue/recall", "a", 1.0)
    yield encode_message("/streamvace/cue/store", "c", 1.0)
    yield encode_message("/streamvace/cue/delete", "b")
    yield from (encode_message(SCALE, number) for number in (math.nan, math.inf, -1e30, 2**40))
    for moment in (None, NOW + 1, NOW + HORIZON + 1):
        yield bundle(*good[:4], at=moment)
    yield nested(3, good[0])
    for framing in Framing:
        yield b"".join(frame(packet, framing) for packet in (*good[:3], HEAD))


def _decoded(packet: bytes) -> list[Message]:
    """What decodes, within the promised bounds; nothing but OscError is raised."""
    try:
        messages = decode(packet)
    except OscError:
        return []
    assert 0 <= len(messages) <= MAX_MESSAGES
    assert sum(_count(message.arguments) for message in messages if len(messages) > 1) <= MAX_VALUES
    for message in messages:
        assert message.address.startswith("/")
        assert _count(message.arguments) <= MAX_ARGUMENTS
        assert _size(message.arguments) <= len(packet), "nothing larger than the packet"
    return messages


def _count(arguments: tuple[Argument, ...]) -> int:
    return sum(_count(each) if isinstance(each, tuple) and not hasattr(each, "_fields") else 1 for each in arguments)


def _size(arguments: tuple[Argument, ...]) -> int:
    sizes = (
        _size(each) if isinstance(each, tuple) else len(each) if isinstance(each, (str, bytes)) else 0
        for each in arguments
        if not hasattr(each, "_fields")
    )
    return sum(sizes)


def _check_framing(data: bytes) -> list[bytes]:
    """The packets of a stream: the same however it is cut, bounded, and the way there and back changes nothing."""
    whole = Unframer()
    packets = whole.feed(data)
    cut = len(data) // 3
    parted = Unframer()
    assert packets == [
        packet for part in (data[:cut], data[cut : 2 * cut], data[2 * cut :]) for packet in parted.feed(part)
    ]
    assert bool(whole.problem) == bool(parted.problem)
    assert "\n" not in whole.problem
    assert all(0 < len(packet) <= MAX_PACKET for packet in packets)
    assert len(whole._held) <= max(len(data), 2 * MAX_PACKET)
    if 0 < len(data) <= MAX_PACKET:
        assert Unframer().feed(frame(data, Framing.SLIP)) == [data]
        if len(data) % 4 == 0:
            assert Unframer().feed(frame(data, Framing.LENGTH)) == [data]
    return packets


def _check_inbox(data: bytes, packets: list[bytes], messages: list[Message]) -> None:
    """Taken in whole, what the parameters hold is always allowed, and a trigger fires for its own address only."""
    parameters, clock = Parameters(), Clock(NOW)
    inbox = Inbox(parameters, clock, commands=Commands(parameters, CueList(CUES)))
    inbox.take_all([(data, UDP), *((packet, TCP) for packet in packets)])
    outcome = inbox.flush()
    clock.now += HORIZON + 1
    inbox.flush()
    assert len(inbox.schedule) == 0, "nothing waits for longer than the horizon"
    assert len(outcome.requests) <= MAX_REQUESTS
    assert len(outcome.complaints) <= MAX_COMPLAINTS
    assert all("\n" not in complaint.line for complaint in outcome.complaints.values())
    assert inbox.counters.faults == parameters.listener_errors == 0
    assert_allowed(parameters)
    snapshot = parameters.snapshot()
    named = {message.address for message in messages}
    assert all(address in named for address, times in snapshot.fired.items() if times)


def assert_allowed(parameters: Parameters) -> None:
    """Every value that was changed could be set as it is, and sent."""
    for address, value in parameters.snapshot().values.items():
        if value == START[address]:
            continue
        checked = parameters.check(address, osc_schema.flat(value))
        assert (checked.status, checked.value) == ("set", value), address
        encode_message(address, *osc_schema.flat(value))


OSC_TOKENS = (*TOKENS, b"#bundle\0", b"/streamvace/*\0\0\0", b",f\0\0", b",[i]\0\0\0\0", b"\xc0", b"\xdb")
LONGEST = 1024
"""Bytes of a seed that is damaged: more takes long and finds nothing else."""

TARGET = Target(
    "osc",
    seeds,
    check,
    rounds=1000,
    damages=(lambda chance, whole, other: damaged(chance, whole[:LONGEST], other[:LONGEST], OSC_TOKENS),),
)
