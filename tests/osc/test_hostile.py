"""Whatever arrives, the running server still answers a ping and still takes a value."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import osc_schema
from streamvace.control.parameters import Parameters
from streamvace.osc.codec import encode_message
from streamvace.osc.server import OscServer
from tests.osc.conftest import Client
from tests.osc.packets import HEAD, SCALE, bundle, hostile


@pytest.mark.parametrize("kind", hostile(0.0))
def test_after_each_hostile_packet_the_server_still_answers(
    kind: str, client: Client, parameters: Parameters, server: OscServer
) -> None:
    for _ in range(3):
        for datagram in hostile(time.time())[kind]:
            client.raw(datagram)
            client.ping()
    client.send(SCALE, 0.75)
    client.ping()
    assert parameters.snapshot()[SCALE] == 0.75
    assert parameters.snapshot().version == 1, "nothing hostile has changed anything"
    assert server.counters().faults == 0


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[tuple[Parameters, OscServer, Client]]:
    """One server for all examples of a test: what one packet breaks, the next finds broken."""
    parameters = Parameters()
    with OscServer(parameters, port=0) as server:
        client = Client(server)
        yield parameters, server, client
        client.close()
    assert server.counters().faults == 0


argument = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(width=32),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30),
    st.binary(min_size=1, max_size=30),
)
named = st.sampled_from(
    [
        *osc_schema.by_address(),
        *(service.address for service in osc_schema.services() if not service.address.endswith("subscribe")),
        "/streamvace/*",
        "/*/status/*",
        "/streamvace/{seed,pause}",
        "/nowhere",
    ]
)
messages = st.builds(
    lambda address, arguments: encode_message(address, *arguments), named, st.lists(argument, max_size=3)
)
bundles = st.builds(lambda contents: bundle(*contents), st.lists(messages, min_size=1, max_size=5))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), st.binary(max_size=100).map(lambda tail: HEAD + tail), messages, bundles))
def test_any_datagram_leaves_the_server_answering(
    fuzzed: tuple[Parameters, OscServer, Client], datagram: bytes
) -> None:
    parameters, server, client = fuzzed
    client.raw(datagram)
    client.ping()
    assert server.counters().faults == 0
    assert parameters.listener_errors == 0


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(messages, bundles), st.randoms(use_true_random=False))
def test_damaged_datagrams_leave_the_server_answering(
    fuzzed: tuple[Parameters, OscServer, Client], datagram: bytes, chance: random.Random
) -> None:
    _, server, client = fuzzed
    damaged = bytearray(datagram)
    for _ in range(chance.randint(1, 3)):
        where = chance.randrange(len(damaged)) // 4 * 4
        damaged[where : where + 4] = struct.pack(">I", chance.choice([0, 1, 2**31, 2**32 - 4, chance.getrandbits(32)]))
    client.raw(bytes(damaged))
    client.ping()
    assert server.counters().faults == 0
