"""Packets out of a byte stream, without a socket."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.osc.framing import MAX_PACKET, Framing, Unframer, frame

packets = st.lists(st.binary(min_size=1, max_size=9).map(lambda core: b"/" + core * 4 + b"\0" * 3), max_size=6)


@given(packets, st.sampled_from(Framing), st.lists(st.integers(1, 40)))
def test_packets_come_out_as_they_went_in_however_the_stream_is_cut(
    sent: list[bytes], framing: Framing, cuts: list[int]
) -> None:
    stream = b"".join(frame(packet, framing) for packet in sent)
    unframer, received = Unframer(), []
    for cut in cuts:
        received += unframer.feed(stream[:cut])
        stream = stream[cut:]
    received += unframer.feed(stream)
    assert (received, unframer.problem) == (sent, "")


@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_give_the_same_packets_in_one_piece_and_in_two(stream: bytes, cut: int) -> None:
    whole, parted = Unframer(), Unframer()
    assert whole.feed(stream) == parted.feed(stream[:cut]) + parted.feed(stream[cut:])
    assert bool(whole.problem) == bool(parted.problem)


@pytest.mark.parametrize(
    ("stream", "framing"),
    [
        (struct.pack(">i", 4) + b"/a\0\0", Framing.LENGTH),
        (b"\xc0/a\0\0\xc0", Framing.SLIP),
        (b"/a\0\0\xc0", Framing.SLIP),
        (b"#bundle\0\xc0", Framing.SLIP),
    ],
)
def test_the_first_byte_tells_the_framing(stream: bytes, framing: Framing) -> None:
    unframer = Unframer()
    assert len(unframer.feed(stream)) == 1
    assert unframer.framing is framing


def test_ends_in_a_row_are_no_packets() -> None:
    assert Unframer().feed(b"\xc0\xc0\xc0/a\0\0\xc0\xc0") == [b"/a\0\0"]


@pytest.mark.parametrize(
    "broken",
    [
        b"GET / HTTP/1.1\r\n",
        struct.pack(">i", 0),
        struct.pack(">i", 6),
        struct.pack(">i", MAX_PACKET + 4),
        b"\xc0/a\0\xdb\0\xc0",
        b"\xc0/a\0\xdb\xc0",
        b"\xc0" + b"x" * (MAX_PACKET + 1) + b"\xc0",
        b"\xc0" + b"x" * (2 * MAX_PACKET + 1),
    ],
)
def test_a_stream_that_makes_no_sense_says_so_once_and_gives_no_more(broken: bytes) -> None:
    unframer = Unframer()
    assert unframer.feed(broken) == []
    line = unframer.problem
    assert line
    assert "\n" not in line
    assert unframer.feed(b"\xc0/a\0\0\xc0") == []
    assert unframer.problem == line


def test_a_negative_size_is_a_problem_after_the_packets_before_it() -> None:
    unframer = Unframer()
    assert unframer.feed(struct.pack(">i", 4) + b"/a\0\0" + struct.pack(">i", -4)) == [b"/a\0\0"]
    assert unframer.problem


def test_the_largest_packet_passes() -> None:
    packet = b"/" + b"\xc0\xdb\0" * 21845
    assert len(packet) == MAX_PACKET
    for framing in Framing:
        assert Unframer().feed(frame(packet, framing)) == [packet]


def test_no_more_is_kept_than_one_unfinished_packet() -> None:
    """Sizes that never come true, and SLIP that never ends."""
    for stream in (struct.pack(">i", MAX_PACKET), b"\xc0"):
        unframer = Unframer()
        unframer.feed(stream)
        for _ in range(100):
            unframer.feed(b"\xff" * 10_000)
            assert len(unframer._held) <= 2 * MAX_PACKET + 10_000
