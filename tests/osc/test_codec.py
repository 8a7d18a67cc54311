"""The decoder agrees with python-osc's encoder, and nothing on the wire makes it do more than refuse."""

from __future__ import annotations

import math
import random
import struct
import tracemalloc

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from streamvace.osc.codec import (
    IMMEDIATELY,
    IMPULSE,
    MAX_ARGUMENTS,
    MAX_DEPTH,
    MAX_MESSAGES,
    MAX_VALUES,
    Argument,
    Colour,
    Message,
    Midi,
    OscError,
    TimeTag,
    Untyped,
    decode,
    encode_message,
    timetag_at,
    unix_seconds,
)
from tests.osc.packets import HEAD, bundle, hostile, nested, padded

addresses = st.text(st.sampled_from("abcXYZ019_-.:*?[]{},!~/"), max_size=60).map(lambda text: "/" + text)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50)
byte = st.integers(0, 255)
typed = st.one_of(
    st.tuples(st.just("i"), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just("h"), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just("f"), st.floats(width=32)),
    st.tuples(st.just("d"), st.floats()),
    st.tuples(st.just("s"), texts),
    st.tuples(st.just("b"), st.binary(min_size=1, max_size=50)),
    st.tuples(st.just("T"), st.just(True)),
    st.tuples(st.just("F"), st.just(False)),
    st.tuples(st.just("N"), st.none()),
    st.tuples(st.just("m"), st.tuples(byte, byte, byte, byte)),
    st.tuples(st.just("r"), st.integers(0, 2**32 - 1)),
)


def by_python_osc(address: str, arguments: list[tuple[str, object]]) -> bytes:
    builder = OscMessageBuilder(address)
    for tag, value in arguments:
        builder.add_arg(value, tag)
    datagram: bytes = builder.build().dgram
    return datagram


def same(sent: object, received: Argument) -> bool:
    if isinstance(received, Colour):
        return sent == int.from_bytes(bytes(received), "big")
    if isinstance(sent, float) and isinstance(received, float):
        return struct.pack(">d", sent) == struct.pack(">d", received) or (math.isnan(sent) and math.isnan(received))
    return type(sent) in (type(received), tuple) and sent == received


@given(addresses, st.lists(typed, max_size=12))
def test_what_python_osc_encodes_is_decoded_equal(address: str, arguments: list[tuple[str, object]]) -> None:
    [message] = decode(by_python_osc(address, arguments))
    assert message.address == address
    assert message.timetag == IMMEDIATELY
    assert len(message.arguments) == len(arguments)
    assert all(same(sent, received) for (_, sent), received in zip(arguments, message.arguments, strict=True))


plain = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(width=32, allow_nan=False),
    texts,
    st.binary(min_size=1, max_size=50),
    st.none(),
)


@given(addresses, st.lists(plain, max_size=12))
def test_what_we_encode_is_decoded_equal_here_and_by_python_osc(address: str, arguments: list[object]) -> None:
    datagram = encode_message(address, *arguments)
    assert decode(datagram) == [Message(address, tuple(arguments))]  # type: ignore[arg-type]
    assert list(OscMessage(datagram).params) == arguments


@given(st.lists(st.tuples(addresses, st.lists(typed, max_size=3)), min_size=1, max_size=6), st.floats(0, 2e9))
def test_a_bundle_is_laid_flat_under_its_time_tag(
    contents: list[tuple[str, list[tuple[str, object]]]], at: float
) -> None:
    datagram = bundle(*(by_python_osc(address, arguments) for address, arguments in contents), at=at)
    messages = decode(datagram)
    assert [message.address for message in messages] == [address for address, _ in contents]
    assert {message.timetag for message in messages} == {timetag_at(at)}
    assert OscBundle(datagram).num_contents == len(contents)


def test_the_examples_of_the_osc_specification() -> None:
    frequency = bytes.fromhex("2f6f7363696c6c61746f722f342f6672657175656e6379002c66000043dc0000")
    assert decode(frequency) == [Message("/oscillator/4/frequency", (440.0,))]
    foo = bytes.fromhex("2f666f6f000000002c69697366660000000003e8ffffffff68656c6c6f0000003f9df3b640b5b22d")
    [message] = decode(foo)
    assert message.address == "/foo"
    assert message.arguments[:3] == (1000, -1, "hello")
    assert message.arguments[3:] == pytest.approx((1.234, 5.678))


def test_types_that_python_osc_does_not_write() -> None:
    tags = padded(b"/a") + padded(b",ItSc[i[T]]N")
    values = struct.pack(">Q", 2**63) + padded(b"symbol") + struct.pack(">i", ord("x")) + struct.pack(">i", 5)
    [message] = decode(tags + values)
    assert message.arguments == (IMPULSE, TimeTag(2**63), "symbol", "x", (5, (True,)), None)
    [message] = decode(padded(b"/a") + padded(b",mr") + bytes(range(8)))
    assert message.arguments == (Midi(0, 1, 2, 3), Colour(4, 5, 6, 7))


def test_an_empty_blob_and_an_empty_bundle_are_well_formed() -> None:
    assert decode(padded(b"/a") + padded(b",b") + b"\0" * 4) == [Message("/a", (b"",))]
    assert decode(HEAD) == []


def test_old_senders_may_leave_out_the_type_tags() -> None:
    assert decode(padded(b"/a")) == [Message("/a")]


def test_an_inner_bundle_is_never_due_before_the_one_around_it() -> None:
    early, late = struct.pack(">Q", 5 << 32), struct.pack(">Q", 9 << 32)
    message = struct.pack(">i", 8) + padded(b"/a") + padded(b",")
    for outer, inner in ((early, late), (late, early)):
        inside = b"#bundle\0" + inner + message
        datagram = b"#bundle\0" + outer + struct.pack(">i", len(inside)) + inside + message
        assert [message.timetag for message in decode(datagram)] == [9 << 32, int.from_bytes(outer, "big")]


def test_time_tags_and_seconds_agree() -> None:
    assert unix_seconds(2_208_988_800 << 32) == 0.0
    assert unix_seconds(timetag_at(1_700_000_000.25)) == 1_700_000_000.25
    assert unix_seconds(IMMEDIATELY) < 0


@pytest.mark.parametrize("kind", hostile(0.0))
def test_hostile_packets_are_refused_or_read_but_nothing_else(kind: str) -> None:
    for datagram in hostile(0.0)[kind]:
        read_or_refuse(datagram)


MALFORMED = {
    "nothing": b"",
    "no multiple of four": b"/a\0\0,\0\0",
    "no slash": padded(b"a") + padded(b","),
    "a space in the address": padded(b"/a b") + padded(b","),
    "a control character in the address": padded(b"/a\nb") + padded(b","),
    "an address beyond the limit": padded(b"/" + b"a" * 255) + padded(b","),
    "an address without an end": b"/abc",
    "padding that is not NUL": b"/a\0x" + padded(b","),
    "padding cut off": b"/abc" + b"\0" * 4 + b",s\0\0" + b"abcd",
    "bytes beyond the arguments": padded(b"/a") + padded(b",") + b"\0" * 4,
    "a missing argument": padded(b"/a") + padded(b",ii") + b"\0" * 4,
    "half a double": padded(b"/a") + padded(b",d") + b"\0" * 4,
    "a string that is not UTF-8": padded(b"/a") + padded(b",s") + padded(b"\xff\xfe"),
    "a letter that is none": padded(b"/a") + padded(b",c") + b"\xff" * 4,
    "a blob longer than the datagram": padded(b"/a") + padded(b",b") + struct.pack(">i", 5) + b"\0" * 4,
    "a blob of negative size": padded(b"/a") + padded(b",b") + struct.pack(">i", -1),
    "an array never closed": padded(b"/a") + padded(b",[i") + b"\0" * 4,
    "an array never opened": padded(b"/a") + padded(b",i]") + b"\0" * 4,
    "arrays too deep": padded(b"/a") + padded(b"," + b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1)),
    "too many arguments": padded(b"/a") + padded(b"," + b"T" * (MAX_ARGUMENTS + 1)),
    "too many messages": HEAD + (struct.pack(">i", 8) + padded(b"/a") + padded(b",")) * (MAX_MESSAGES + 1),
    "too many arguments in all": HEAD
    + (struct.pack(">i", 40) + padded(b"/a") + padded(b"," + b"T" * MAX_ARGUMENTS)) * (MAX_VALUES // MAX_ARGUMENTS + 1),
    "numbers with a stray comma": padded(b"/a") + padded(b",i,f") + b"\0" * 8,
    "numbers with bytes to spare": padded(b"/a") + padded(b",ifhd") + b"\0" * 28,
    "bundles too deep": nested(MAX_DEPTH + 1),
    "a bundle without a time tag": b"#bundle\0",
    "an element beyond the bundle": HEAD + struct.pack(">i", 12) + padded(b"/a") + padded(b","),
    "an element beyond its inner bundle": HEAD
    + struct.pack(">i", 20)
    + HEAD
    + struct.pack(">i", 8)
    + padded(b"/abcdef"),
    "an element of odd size": HEAD + struct.pack(">i", 7) + padded(b"/a") + padded(b","),
    "an element of no size": HEAD + struct.pack(">i", 0),
    "larger than any datagram": padded(b"/a") + padded(b",b") + struct.pack(">i", 65536) + b"\0" * 65536,
}


def test_arguments_without_type_tags_are_kept_as_bytes() -> None:
    assert decode(padded(b"/a")) == [Message("/a")]
    assert decode(padded(b"/a") + padded(b"i") + b"\0" * 4) == [Message("/a", (Untyped(padded(b"i") + b"\0" * 4),))]


def test_the_error_names_the_address_as_soon_as_it_is_known() -> None:
    with pytest.raises(OscError) as caught:
        decode(HEAD + struct.pack(">i", 12) + padded(b"/a") + padded(b",s") + padded(b"\xfc"))
    assert caught.value.address == "/a"
    assert "in Latin-1: '\u00fc'" in str(caught.value)
    with pytest.raises(OscError) as caught:
        decode(b"rubbish\0")
    assert caught.value.address == ""


@pytest.mark.parametrize("datagram", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_is_malformed_is_refused_whole_in_one_line(datagram: bytes) -> None:
    with pytest.raises(OscError) as caught:
        decode(datagram)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_the_limits_themselves_are_still_taken() -> None:
    message = padded(b"/a") + padded(b"," + b"T" * MAX_ARGUMENTS)
    assert len(decode(message)[0].arguments) == MAX_ARGUMENTS
    element = struct.pack(">i", 8) + padded(b"/a") + padded(b",")
    assert len(decode(HEAD + element * MAX_MESSAGES)) == MAX_MESSAGES
    full = struct.pack(">i", len(message)) + message
    assert len(decode(HEAD + full * (MAX_VALUES // MAX_ARGUMENTS))) == MAX_VALUES // MAX_ARGUMENTS
    assert decode(nested(MAX_DEPTH, padded(b"/a") + padded(b","))) == [Message("/a")]
    assert decode(padded(b"/" + b"a" * 254)) == [Message("/" + "a" * 254)]


def read_or_refuse(datagram: bytes) -> None:
    """Whatever comes: messages that can be used, or OscError."""
    try:
        messages = decode(datagram)
    except OscError:
        return
    for message in messages:
        assert message.address.startswith("/")
        assert message.address.isascii()


@settings(max_examples=1000)
@given(st.binary(max_size=300))
@example(b"#bundle\0")
def test_random_bytes_raise_nothing_but_the_one_error(datagram: bytes) -> None:
    read_or_refuse(datagram)
    read_or_refuse(HEAD + datagram)
    read_or_refuse(padded(b"/a") + b"," + datagram)


seeds = st.one_of(
    st.builds(by_python_osc, addresses, st.lists(typed, max_size=8)),
    st.builds(
        lambda contents: bundle(*(by_python_osc(address, arguments) for address, arguments in contents)),
        st.lists(st.tuples(addresses, st.lists(typed, max_size=4)), min_size=1, max_size=4),
    ),
)


@settings(max_examples=1000)
@given(seeds, st.randoms(use_true_random=False))
def test_damaged_packets_raise_nothing_but_the_one_error(datagram: bytes, chance: random.Random) -> None:
    damaged = bytearray(datagram)
    for _ in range(chance.randint(1, 4)):
        where = chance.randrange(len(damaged))
        how = chance.randrange(4)
        if how == 0:
            damaged[where] = chance.randrange(256)
        elif how == 1:
            damaged[where] ^= 1 << chance.randrange(8)
        elif how == 2:
            del damaged[where // 4 * 4 : where // 4 * 4 + 4]
        else:
            damaged[where // 4 * 4 : where // 4 * 4] = struct.pack(">i", chance.choice([-4, 0, 4, 2**31 - 4]))
        if not damaged:
            break
    read_or_refuse(bytes(damaged))


def test_no_packet_makes_it_build_more_than_the_packet_warrants() -> None:
    """The largest thing built from a full-size datagram stays within a few times its size."""
    worst = [packet for packets in hostile(0.0).values() for packet in packets]
    element = padded(b"/a") + padded(b"," + b"T" * MAX_ARGUMENTS)
    worst.append(HEAD + (struct.pack(">i", len(element)) + element) * MAX_MESSAGES)
    worst.append(padded(b"/a") + padded(b",b") + struct.pack(">i", 65000) + b"\0" * 65000)
    worst.extend(MALFORMED.values())
    tracemalloc.start()
    try:
        for datagram in worst:
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            read_or_refuse(datagram)
            built = tracemalloc.get_traced_memory()[1] - before
            assert built < 16 * len(datagram) + 8192
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "arguments", [(2**63,), ("a\0b",), ("\ud83d",), (1e39,), (object(),), ((1, 2),), (IMPULSE,), (Midi(0, 0, 0, 0),)]
)
def test_what_osc_cannot_carry_is_not_encoded(arguments: tuple[object, ...]) -> None:
    with pytest.raises(OscError):
        encode_message("/a", *arguments)


@pytest.mark.parametrize("address", ["", "a", "/a\0b"])
def test_what_is_no_address_is_not_encoded(address: str) -> None:
    with pytest.raises(OscError):
        encode_message(address, 1)
