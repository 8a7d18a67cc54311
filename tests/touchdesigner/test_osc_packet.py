"""The component and the process understand each other's OSC, and no datagram causes a crash."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamvace_td.osc_packet import Message, OscError, bundle, decode, encode

from streamvace.osc import codec

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50)
ARGUMENTS = st.lists(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(width=32, allow_nan=False, allow_infinity=False)
    | TEXTS,
    max_size=10,
)


@given(ARGUMENTS)
def test_the_process_reads_what_the_component_writes(arguments: list[bool | int | float | str]) -> None:
    [message] = codec.decode(encode("/streamvace/x", arguments))
    assert (message.address, list(message.arguments)) == ("/streamvace/x", arguments)


@given(ARGUMENTS)
def test_the_component_reads_what_the_process_writes(arguments: list[bool | int | float | str]) -> None:
    assert decode(codec.encode_message("/streamvace/x", *arguments)) == Message("/streamvace/x", tuple(arguments))


@given(st.lists(ARGUMENTS, min_size=1, max_size=20))
def test_a_bundle_holds_every_message_in_order(messages: list[list[bool | int | float | str]]) -> None:
    sent = [encode(f"/streamvace/{index}", arguments) for index, arguments in enumerate(messages)]
    received = codec.decode(bundle(sent))
    assert [list(message.arguments) for message in received] == messages
    assert {message.timetag for message in received} == {codec.IMMEDIATELY}


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_osc_error(datagram: bytes) -> None:
    with contextlib.suppress(OscError):
        decode(datagram)


@given(ARGUMENTS, st.data())
def test_a_damaged_message_is_read_or_rejected(arguments: list[bool | int | float | str], data: st.DataObject) -> None:
    whole = encode("/streamvace/x", arguments)
    at = data.draw(st.integers(0, len(whole) - 1))
    for broken in (whole[:at], whole[:at] + bytes([data.draw(st.integers(0, 255))]) + whole[at + 1 :]):
        with contextlib.suppress(OscError):
            decode(broken)


@pytest.mark.parametrize("value", [2**63, "a\0b", "\ud800", b"bytes", None, 1e39])
def test_a_value_that_cannot_be_sent_raises_osc_error(value: object) -> None:
    with pytest.raises(OscError):
        encode("/streamvace/x", [value])  # type: ignore[list-item]
