"""Parameters converge whatever is lost or delayed; there are no loops."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from streamvace_td.osc_packet import Arguments
from streamvace_td.sync import MOST_QUESTIONS, SETTLE_S, SYNC, SYNC_S, Sync

import osc_schema

SCALE, SEED, RESET = "/streamvace/context_scale", "/streamvace/seed", "/streamvace/reset"
QUESTION = ("?",)


def begun(values: dict[str, Arguments] | None = None) -> Sync:
    sync = Sync(osc_schema.load())
    sync.begin(values or {}, 0.0)
    return sync


def quiet() -> Sync:
    """After the first request for all values."""
    sync = begun()
    assert sync.outgoing(0.0) == [(SYNC, ())]
    return sync


def test_values_for_a_new_process_are_sent_before_all_values_are_requested() -> None:
    assert begun({SCALE: (0.5,), SEED: (7,)}).outgoing(0.0) == [(SCALE, (0.5,)), (SEED, (7,)), (SYNC, ())]


def test_the_values_of_a_new_process_are_requested_once() -> None:
    sync = begun({SCALE: (0.5,), SEED: (7,)})
    sync.outgoing(0.0)
    assert sync.remote(SCALE, (0.5,)) == (0.5,)
    assert sync.remote(SEED, (8,)) == (8,), "the value of the process"
    assert sync.outgoing(2 * SETTLE_S) == []


def test_many_changes_in_a_frame_are_one_message() -> None:
    sync = quiet()
    for step in range(48):  # a CHOP at its sample rate
        sync.local(SCALE, (step / 64,))
    assert sync.outgoing(0.1) == [(SCALE, (47 / 64,))]
    assert sync.outgoing(0.1) == []


def test_a_received_value_is_not_sent_back() -> None:
    sync = quiet()
    assert sync.remote(SCALE, (0.5,)) == (0.5,)
    sync.local(SCALE, (0.5,))  # the parameter callback of the value just shown
    assert sync.outgoing(0.1) == []


def test_a_local_change_wins_over_a_received_value() -> None:
    sync = quiet()
    sync.local(SCALE, (0.5,))
    assert sync.remote(SCALE, (0.9,)) is None
    assert sync.outgoing(0.1) == [(SCALE, (0.5,))]
    assert sync.remote(SCALE, (0.9,)) is None, "it may have been sent before ours arrived"


def test_after_a_quiet_time_the_value_is_requested_and_the_answer_applies() -> None:
    sync = quiet()
    sync.local(SCALE, (0.5,))
    sync.outgoing(0.1)
    assert sync.outgoing(0.1 + SETTLE_S / 2) == []
    assert sync.outgoing(0.1 + SETTLE_S) == [(SCALE, QUESTION)]
    assert sync.remote(SCALE, (0.375,)) == (0.375,)
    assert sync.outgoing(0.2 + 2 * SETTLE_S) == []


def test_a_request_without_an_answer_is_repeated() -> None:
    sync = quiet()
    sync.local(SCALE, (0.5,))
    sync.outgoing(0.0)
    assert sync.outgoing(SETTLE_S) == [(SCALE, QUESTION)]
    assert sync.outgoing(2 * SETTLE_S) == [(SCALE, QUESTION)]


def test_many_requests_become_one() -> None:
    sync = quiet()
    numbers = [row.address for row in osc_schema.load() if row.access == "write" and row.type != "trigger"]
    for address in numbers[: MOST_QUESTIONS + 1]:
        sync.local(address, (1,))
    sync.outgoing(0.0)
    assert sync.outgoing(SETTLE_S) == [(SYNC, ())]


def test_a_trigger_is_sent_once_per_frame_and_then_all_values_are_requested() -> None:
    sync = quiet()
    sync.fire(RESET)
    sync.fire(RESET)
    assert sync.outgoing(0.1) == [(RESET, ())]
    sync.fire(RESET)
    assert sync.outgoing(0.2) == [(RESET, ())]
    assert sync.outgoing(0.2 + SETTLE_S) == [(SYNC, ())]


def test_all_values_are_requested_regularly() -> None:
    sync = quiet()
    assert sync.outgoing(SYNC_S - 0.1) == []
    assert sync.outgoing(SYNC_S) == [(SYNC, ())]


def test_an_invalid_value_is_counted_and_changes_nothing() -> None:
    sync = quiet()
    assert sync.remote(SEED, ("seven",)) is None
    assert sync.remote("/streamvace/nothing", (1,)) is None
    assert sync.remote(RESET, ()) is None
    assert sync.refused == 1


def test_a_new_connection_starts_empty() -> None:
    sync = quiet()
    sync.local(SCALE, (0.5,))
    sync.fire(RESET)
    sync.end()
    sync.begin({}, 1.0)
    assert sync.outgoing(1.0) == [(SYNC, ())]


@settings(max_examples=60, stateful_step_count=60)
class TwoSides(RuleBasedStateMachine):
    """One parameter, an artist, another controller, and a network with loss and delay."""

    def __init__(self) -> None:
        super().__init__()
        self.sync = Sync(osc_schema.load())
        self.now = 0.0
        self.shown: Arguments = (1.0,)
        self.held: Arguments = (1.0,)
        self.to_process: list[tuple[str, Arguments]] = []
        self.to_td: list[Arguments] = []
        self.sync.begin({}, 0.0)
        self.sent_in_frame = 0

    @rule(step=st.integers(0, 8))
    def artist(self, step: int) -> None:
        self.shown = (step / 8,)
        self.sync.local(SCALE, self.shown)

    @rule(step=st.integers(0, 8))
    def somebody_else(self, step: int) -> None:
        self.held = (step / 8,)
        self.to_td.append(self.held)

    @rule(lost=st.booleans(), seconds=st.sampled_from([1 / 60, 0.3, 1.0]))
    def frame(self, lost: bool, seconds: float) -> None:
        self.now += seconds
        messages = self.sync.outgoing(self.now)
        addresses = [address for address, arguments in messages if arguments not in ((), QUESTION)]
        self.sent_in_frame = len(addresses)
        if not lost:
            self.to_process += messages

    @rule(lost=st.booleans())
    def process_reads(self, lost: bool) -> None:
        for address, arguments in self.to_process:
            if address == SYNC or arguments == QUESTION:
                self.to_td += [] if lost else [self.held]
            else:
                self.held = arguments
        self.to_process.clear()

    @rule()
    def td_reads(self) -> None:
        for arguments in self.to_td:
            value = self.sync.remote(SCALE, arguments)
            if value is not None and value != self.shown:
                self.shown = value
                self.sync.local(SCALE, value)  # the callback of having shown it
        self.to_td.clear()

    @invariant()
    def never_more_than_one_message_a_frame(self) -> None:
        assert self.sent_in_frame <= 1

    def teardown(self) -> None:
        """Without changes and loss, both sides converge, and only requests are sent."""
        for _ in range(4):
            self.frame(lost=False, seconds=SYNC_S)
            self.process_reads(lost=False)
            self.td_reads()
        assert self.shown == self.held
        self.frame(lost=False, seconds=1 / 60)
        assert [arguments for _, arguments in self.to_process if arguments not in ((), QUESTION)] == []


TestTwoSides = TwoSides.TestCase
