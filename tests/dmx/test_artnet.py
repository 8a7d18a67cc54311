"""Art-Net 4 as bytes."""

from __future__ import annotations

import struct

import pytest

from streamvace.dmx.artnet import Poll, parse, poll_reply
from streamvace.dmx.packets import Levels, PacketError
from tests.dmx.desk import art_dmx, art_poll

GOLDEN = bytes.fromhex("4172742d4e6574000050000e0700230100040a14ff00")
"""ArtDmx, version 14, sequence 7, universe 1:2:3, four channels."""


def test_levels_of_a_packet_written_out_by_hand() -> None:
    assert parse(GOLDEN, "10.0.0.5") == Levels("artnet", 0x123, "10.0.0.5", 7, bytes((10, 20, 255, 0)), name="10.0.0.5")


def test_the_highest_bit_of_the_net_does_not_count() -> None:
    packet = parse(art_dmx(b"\1\2", 0xFFFF), "a")
    assert isinstance(packet, Levels)
    assert packet.universe == 0x7FFF


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "no Art-Net packet of 0 bytes"),
        (b"Art-Nut\0" + bytes(20), "no Art-Net packet of 28 bytes"),
        (art_dmx(b"\1\2", version=13), "Art-Net version 13, it takes 14"),
        (GOLDEN[:17], "ArtDmx of 17 bytes, its head has 18"),
        (GOLDEN[:-1], "ArtDmx with 3 of 4 channels, it takes 1..512"),
        (art_dmx(b""), "ArtDmx with 0 of 0 channels, it takes 1..512"),
        (art_dmx(bytes(513)), "ArtDmx with 513 of 513 channels, it takes 1..512"),
    ],
)
def test_what_is_damaged_is_refused_with_what_it_has(data: bytes, why: str) -> None:
    with pytest.raises(PacketError) as caught:
        parse(data, "a")
    assert str(caught.value) == why


def test_bytes_behind_the_levels_do_not_count() -> None:
    packet = parse(GOLDEN + b"more", "a")
    assert isinstance(packet, Levels)
    assert packet.levels == bytes((10, 20, 255, 0))


def test_other_kinds_of_packets_are_no_error() -> None:
    assert parse(b"Art-Net\0" + struct.pack("<H", 0x9700) + bytes((0, 14)), "a") is None


def test_a_poll_asks_everyone_or_a_range_of_universes() -> None:
    assert parse(art_poll(), "a") == Poll()
    assert parse(art_poll(0x20, 3, 9), "a") == Poll(3, 9)
    assert parse(art_poll()[:14], "a") == Poll()  # Art-Net 3 has no range


def test_the_answer_says_where_the_node_is_and_what_it_hears() -> None:
    reply = poll_reply("10.1.2.3", 0x1234, "streamvace", "well")
    assert len(reply) == 239
    assert reply[:10] == b"Art-Net\0\x00\x21"
    assert reply[10:14] == bytes((10, 1, 2, 3))
    assert reply[14:16] == bytes((0x36, 0x19))  # 6454, low byte first
    assert (reply[18], reply[19], reply[190]) == (0x12, 0x3, 0x4)
    assert reply[26:44].rstrip(b"\0") == b"streamvace"
    assert reply[108:172].rstrip(b"\0") == b"#0001 [0000] well"
    assert reply[172:174] == b"\0\1"
    assert reply[174] == 0x80  # its port gives DMX out of Art-Net
    assert reply[200] == 0  # style: a node
    assert reply[207:211] == bytes((10, 1, 2, 3))
    assert reply[211] == 1


def test_long_names_keep_the_zero_at_their_end() -> None:
    assert poll_reply("10.1.2.3", 0, "n" * 40, "r" * 100)[43] == 0
