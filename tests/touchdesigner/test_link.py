"""The connection to the real OSC server: established, kept alive, lost; other senders are ignored."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest
from streamvace_td.link import MISSED_PINGS, MOST_IN_BUNDLE, PING_S, Link
from streamvace_td.osc_packet import Message, decode

import osc_schema
from streamvace.control.parameters import Parameters
from streamvace.osc.codec import MAX_MESSAGES, encode_message
from streamvace.osc.server import OscServer

SCALE = "/streamvace/context_scale"


@pytest.fixture
def link(server: OscServer) -> Iterator[Link]:
    made = Link()
    made.aim(("127.0.0.1", server.port))
    yield made
    made.close()


def until(link: Link, reached: Callable[[], object]) -> list[Message]:
    """Turns in real time with a fixed clock: only the first turn sends a ping. Returns the messages."""
    messages, end = link.turn(0.0), time.monotonic() + 20
    while not reached():
        assert time.monotonic() < end
        messages += link.turn(0.0)
        time.sleep(0.001)
    return messages


def connect(link: Link) -> None:
    until(link, lambda: link.connected)


def test_a_process_that_answers_is_connected(link: Link) -> None:
    assert not link.connected
    connect(link)


def test_messages_arrive_together(link: Link, parameters: Parameters) -> None:
    connect(link)
    version = parameters.snapshot().version
    link.send([(SCALE, (0.5,)), ("/streamvace/seed", (7,)), ("/streamvace/prompt", ("blue",))])
    until(link, lambda: parameters.snapshot().integer("/streamvace/seed") == 7)
    assert parameters.snapshot().version == version + 1, "one change, at one chunk boundary"
    assert parameters.snapshot().number(SCALE) == 0.5


def test_a_bundle_holds_no_more_than_the_process_takes() -> None:
    assert MOST_IN_BUNDLE <= MAX_MESSAGES


def test_all_that_a_show_carries_is_requested_and_read(link: Link, server: OscServer) -> None:
    connect(link)
    link.send([("/streamvace/sync", ())])
    values = osc_schema.carried(server.values())
    before = link.counters.received
    heard = until(link, lambda: link.counters.received - before == len(values))
    assert {message.address: message.arguments for message in heard} == {
        address: decode(encode_message(address, *osc_schema.flat(value))).arguments for address, value in values.items()
    }


def test_after_three_unanswered_pings_the_process_is_lost(link: Link, server: OscServer) -> None:
    connect(link)
    server.close()
    for ping in range(1, MISSED_PINGS + 1):
        link.turn(ping * PING_S)
        assert link.connected, "one slow frame is not enough"
    link.turn((MISSED_PINGS + 1) * PING_S)
    assert not link.connected


def test_a_slow_frame_does_not_lose_the_connection(link: Link) -> None:
    connect(link)
    link.turn(3600.0)
    assert link.connected


def test_without_a_process_there_is_no_error(link: Link, server: OscServer) -> None:
    """Windows reports errors on the socket, other systems do not."""
    server.close()
    for second in range(5):
        assert link.turn(float(second)) == []
    assert not link.connected


def test_other_senders_are_ignored_and_invalid_datagrams_counted(link: Link) -> None:
    connect(link)
    assert link._socket is not None
    ours = ("127.0.0.1", link._socket.getsockname()[1])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.sendto(encode_message("/streamvace/prompt", "mine now"), ours)
        heard = until(link, lambda: link.counters.strangers == 1)
        assert [message.address for message in heard] == []
        # from the process's address, invalid bytes count as malformed
        link.target = stranger.getsockname()[:2]
        stranger.sendto(b"#bundle\0" + bytes(8), ours)
        stranger.sendto(b"\xff" * 12, ours)
        until(link, lambda: link.counters.malformed == 2)


def test_an_old_pong_does_not_connect(link: Link) -> None:
    """Only the answer to this connection's own ping does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as process:
        process.bind(("127.0.0.1", 0))
        process.settimeout(20)
        link.aim(process.getsockname()[:2])
        link.turn(0.0)
        _, ours = process.recvfrom(1000)
        process.sendto(encode_message("/streamvace/pong", "td-1-1"), ours)
        until(link, lambda: link.counters.received == 1)
        assert not link.connected


def test_without_a_target_no_socket_is_opened() -> None:
    link = Link()
    assert link.turn(0.0) == []
    link.send([(SCALE, (0.5,))])
    assert link._socket is None
    assert link.counters.sent == 0


def test_messages_that_cannot_be_encoded_are_counted_and_the_rest_is_sent(link: Link, parameters: Parameters) -> None:
    connect(link)
    link.send([("/streamvace/prompt", ("a\0b",)), (SCALE, (0.5,))])
    until(link, lambda: parameters.snapshot().number(SCALE) == 0.5)
    assert link.counters.unsent == 1


def test_long_texts_are_sent_one_by_one(link: Link, parameters: Parameters) -> None:
    connect(link)
    link.send([("/streamvace/prompt", ("x" * 30_000,)), ("/streamvace/prompt", ("y" * 30_000,)), (SCALE, (0.25,))])
    until(link, lambda: parameters.snapshot().number(SCALE) == 0.25)
