"""sACN (E1.31) as bytes."""

from __future__ import annotations

import pytest

from streamvace.dmx.packets import Levels, PacketError
from streamvace.dmx.sacn import group, parse
from tests.dmx.desk import COMPONENT, sacn_data
from tests.real_parts import require_package

GOLDEN = (
    bytes.fromhex("001000004153432d45312e3137000000707000000004")
    + COMPONENT
    + bytes.fromhex("705a00000002")
    + b"front of house".ljust(64, b"\0")
    + bytes.fromhex("7800002a000107700d02a100000001000300ff80")
)
"""Universe 263, sequence 42, priority 120, two channels."""


def test_levels_of_a_packet_written_out_by_hand() -> None:
    assert parse(GOLDEN) == Levels("sacn", 263, COMPONENT.hex(), 42, b"\xff\x80", name="front of house", priority=120)


def test_the_packets_of_the_tests_are_those_of_the_standard() -> None:
    assert sacn_data(b"\xff\x80", 263, 42, priority=120, name="front of house") == GOLDEN


def test_a_library_of_the_protocol_makes_the_same_bytes() -> None:
    require_package("sacn", "pip install sacn")
    from sacn.messages.data_packet import DataPacket

    packet = DataPacket(tuple(COMPONENT), "front of house", 263, tuple(range(256)) * 2, 120, 42, streamTerminated=True)
    read = parse(bytes(packet.getBytes()))
    assert read == Levels(
        "sacn", 263, COMPONENT.hex(), 42, bytes(range(256)) * 2, name="front of house", priority=120, ended=True
    )


def test_preview_and_the_end_of_a_stream_are_read() -> None:
    preview, ended = parse(sacn_data(b"\1", options=0x80)), parse(sacn_data(b"\1", options=0x40))
    assert preview is not None
    assert ended is not None
    assert (preview.preview, preview.ended) == (True, False)
    assert (ended.preview, ended.ended) == (False, True)


def test_start_codes_other_than_levels_and_the_extended_packets_are_no_error() -> None:
    assert parse(sacn_data(b"\1", code=0xDD)) is None  # priorities of single channels
    extended = bytearray(GOLDEN)
    extended[21] = 8  # synchronisation and discovery
    assert parse(bytes(extended)) is None


def changed(at: int, value: int) -> bytes:
    data = bytearray(GOLDEN)
    data[at] = value
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no sACN packet of 0 bytes"),
        (changed(4, 0x42), "no sACN packet of 128 bytes"),
        (changed(21, 5), "sACN root vector is 5, it takes 4"),
        (changed(43, 3), "sACN framing vector is 3, it takes 2"),
        (changed(118, 0xA2), "sACN layer of levels is (2, 162, 0, 1), it takes (2, 161, 0, 1)"),
        (GOLDEN[:-1], "sACN with 1 of 2 channels, it takes 0..512"),
        (GOLDEN[:100], "sACN of 100 bytes, its head has 126"),
        (changed(16, 0x60), "sACN flags of the root is 6, it takes 7"),
        (changed(17, 0x71), "sACN end of the root is 129, it takes 128"),
        (changed(39, 0x5B), "sACN end of the framing is 129, it takes 128"),
        (changed(116, 0x0C), "sACN end of the levels is 127, it takes 128"),
        (changed(108, 201), "sACN universe 263, priority 201; they end at 63999 and 200"),
        (sacn_data(b"\1", 0), "sACN universe 0, priority 100; they end at 63999 and 200"),
    ],
)
def test_what_is_damaged_is_refused_with_what_it_has(data: bytes, why: str) -> None:
    with pytest.raises(PacketError) as caught:
        parse(data)
    assert str(caught.value) == why


def test_every_universe_has_a_multicast_group() -> None:
    assert group(1) == "239.255.0.1"
    assert group(63999) == "239.255.249.255"
