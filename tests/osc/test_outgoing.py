"""What leaves for a host is limited; values follow later, the newest of each address, and nothing comes back to us."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.osc.codec import Message, decode
from streamvace.osc.counters import Counters
from streamvace.osc.local_clients import LocalClients
from streamvace.osc.outgoing import HOST_BYTES, MOST_OWING, Outgoing
from streamvace.osc.peer import Peer

DESK, TABLET, STRANGER = ("10.0.0.5", 5000), ("10.0.0.5", 6000), ("10.0.0.6", 5000)
PROMPT = "/streamvace/prompt"


class Wire:
    """A UDP socket that keeps what it is given."""

    def __init__(self, port: int = 7700) -> None:
        self.sent: list[tuple[bytes, Peer]] = []
        self._port = port

    def getsockname(self) -> Peer:
        return "127.0.0.1", self._port

    def sendto(self, packet: bytes, target: Peer) -> None:
        self.sent.append((packet, target))

    def to(self, target: Peer) -> list[Message]:
        return [decode(packet)[0] for packet, to in self.sent if to == target]

    def bytes_to(self, host: str) -> int:
        return sum(len(packet) for packet, to in self.sent if to[0] == host)


class Rig:
    def __init__(self) -> None:
        self.now = 0.0
        self.wire = Wire()
        self.counters = Counters()
        self.outgoing = Outgoing(self.wire, LocalClients(lambda: None), self.counters, lambda: self.now)  # type: ignore[arg-type]


@pytest.fixture
def rig() -> Rig:
    return Rig()


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.sampled_from([DESK, TABLET, STRANGER]), st.integers(0, 5), st.booleans()),
        max_size=120,
    )
)
def test_no_host_gets_more_than_its_bytes_and_every_value_arrives_in_the_end(
    sent: list[tuple[int, Peer, int, bool]],
) -> None:
    rig = Rig()
    newest: dict[tuple[Peer, str], str] = {}
    for number, (pause_ms, target, which, reply) in enumerate(sent):
        rig.now += pause_ms / 1000
        rig.outgoing.flush()
        address, text = f"/streamvace/{which}", f"{number} " + "x" * 9000
        if reply:
            rig.outgoing.reply(target, "/streamvace/status/error", text)
        else:
            rig.outgoing.value(target, address, text)
            newest[target, address] = text
        for host in ("10.0.0.5", "10.0.0.6"):
            assert rig.wire.bytes_to(host) <= HOST_BYTES * (1 + rig.now) + 1
    for _ in range(200):
        rig.now += 0.1
        rig.outgoing.flush()
    assert rig.outgoing.wait() is None
    for (target, address), text in newest.items():
        arrived = [message.arguments for message in rig.wire.to(target) if message.address == address]
        assert arrived[-1] == (text,)


def test_while_values_are_owed_only_the_newest_of_an_address_follows(rig: Rig) -> None:
    for number in range(100):
        rig.outgoing.value(DESK, PROMPT, f"{number:05}" + "x" * 9995)
    before = len(rig.wire.sent)
    assert before < 11
    rig.now = 60.0
    rig.outgoing.flush()
    assert len(rig.wire.sent) == before + 1
    assert str(rig.wire.to(DESK)[-1].arguments[0]).startswith("00099")


def test_a_reply_that_may_not_leave_is_dropped_and_counted_and_another_host_has_its_own(rig: Rig) -> None:
    for _ in range(20):
        rig.outgoing.reply(DESK, "/streamvace/pong", "x" * 10_000)
    assert len(rig.wire.sent) == 9
    assert rig.counters.unsent == 11
    rig.outgoing.reply(STRANGER, "/streamvace/pong", 1)
    assert rig.wire.to(STRANGER) == [Message("/streamvace/pong", (1,))]


def test_forged_targets_are_owed_nothing_beyond_a_bound(rig: Rig) -> None:
    for number in range(3 * MOST_OWING):
        for _ in range(2):
            rig.outgoing.value((f"10.1.0.{number}", 9), PROMPT, "x" * 60_000)
    assert len(rig.outgoing._owed) <= MOST_OWING
    assert rig.counters.unsent > 0


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "own"])
def test_nothing_is_sent_to_our_own_port_by_whatever_name(rig: Rig, host: str) -> None:
    if host == "own":
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))
            except OSError:
                pytest.skip("this machine has no route: nothing to install")
            host = probe.getsockname()[0]
    rig.outgoing.reply((host, 7700), "/streamvace/pong")
    rig.outgoing.value((host, 7700), PROMPT, "dusk")
    assert rig.wire.sent == []
    rig.outgoing.value((host, 7701), PROMPT, "dusk")
    assert len(rig.wire.sent) == 1, "another port there is another program's"
