"""Dropping what is overtaken changes no outcome, however the batch is mixed."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import osc_schema
from streamvace.control.parameters import RESET, Parameters
from streamvace.osc.coalesce import Coalescer
from streamvace.osc.codec import encode_message
from streamvace.osc.inbox import Inbox
from tests.osc.packets import SCALE, bundle

DESK = ("127.0.0.1", 5000)

singles = st.builds(
    lambda address, values: encode_message(address, *values),
    st.sampled_from(["/streamvace/*", *(row.address for row in osc_schema.load() if row.access == "write")]),
    st.lists(
        st.sampled_from([0, 1, 0.25, 0.5, 3.5, -1.0, math.nan, math.inf, True, False, "?", "alpha", None]), max_size=2
    ),
)
arrivals = st.one_of(singles, st.lists(singles, min_size=1, max_size=3).map(lambda inside: bundle(*inside)))


@settings(max_examples=500)
@given(st.lists(arrivals, max_size=30))
def test_a_thinned_batch_does_what_the_whole_batch_does(datagrams: list[bytes]) -> None:
    whole, thinned = Parameters(), Parameters()
    one_by_one, together = Inbox(whole), Inbox(thinned)
    for datagram in datagrams:
        one_by_one.take(datagram, DESK)
    together.take_all([(datagram, DESK) for datagram in datagrams])
    expected, outcome = one_by_one.flush(), together.flush()
    assert thinned.snapshot().values == whole.snapshot().values
    assert thinned.snapshot().fired == whole.snapshot().fired
    assert outcome.requests == expected.requests
    assert together.counters.messages == one_by_one.counters.messages
    assert together.counters.datagrams == one_by_one.counters.datagrams


@pytest.mark.parametrize("nothing", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_overtakes_no_valid_value(nothing: float) -> None:
    burst = [(encode_message(SCALE, value), DESK) for value in (0.25, 0.5, nothing, nothing)]
    assert Coalescer(osc_schema.by_address()).coalesce(burst) == burst[1:]
    parameters = Parameters()
    inbox = Inbox(parameters)
    inbox.take_all(burst)
    inbox.flush()
    assert parameters.snapshot().number(SCALE) == 0.5
    assert inbox.counters.refused == 2


def test_a_button_s_release_does_not_overtake_its_press() -> None:
    burst = [(encode_message(RESET, value), DESK) for value in (1.0, 0.0)]
    assert Coalescer(osc_schema.by_address()).coalesce(burst) == burst


def test_of_a_burst_one_datagram_an_address_is_left_to_read() -> None:
    burst = [(encode_message(SCALE, number / 20_000), DESK) for number in range(20_000)]
    assert Coalescer(osc_schema.by_address()).coalesce(burst) == burst[-1:]


def test_a_burst_is_counted_to_the_last_message() -> None:
    parameters = Parameters()
    inbox = Inbox(parameters)
    inbox.take_all([(encode_message(SCALE, number / 20_000), DESK) for number in range(20_000)])
    inbox.flush()
    assert inbox.counters.messages == 20_000
    assert inbox.counters.coalesced == 19_999
    assert parameters.snapshot().number(SCALE) > 0.9999
