"""From datagrams to parameters: what counts in a burst, in a bundle, and later."""

from __future__ import annotations

import math
import struct

import pytest

import osc_schema
from streamvace.control.commands import Commands
from streamvace.control.cue_list import CueList
from streamvace.control.cues import Cue
from streamvace.control.parameters import Parameters
from streamvace.control.reference_list import EDITS, REFERENCES
from streamvace.osc.codec import encode_message
from streamvace.osc.complaints import MAX_COMPLAINTS
from streamvace.osc.inbox import (
    MAX_ACTIONS,
    MAX_NAMED,
    MAX_PATTERN_LETTERS,
    MAX_PATTERNS,
    MAX_REQUESTS,
    Inbox,
)
from streamvace.osc.peer import surface_peer
from tests.control.coerced import coerced
from tests.osc.clock import Clock
from tests.osc.packets import HEAD, SCALE, bundle, padded

DESK = ("127.0.0.1", 5000)
OTHER = ("127.0.0.1", 6000)
SEED = "/streamvace/seed"
PROMPT = "/streamvace/prompt"
RESET = "/streamvace/reset"
QUIT = "/streamvace/quit"
ADD = "/streamvace/reference/add"


@pytest.fixture
def parameters() -> Parameters:
    return Parameters(edits=EDITS)


@pytest.fixture
def inbox(parameters: Parameters, clock: Clock) -> Inbox:
    return Inbox(parameters, clock)


def test_of_twenty_thousand_messages_the_last_value_of_each_address_counts(
    inbox: Inbox, parameters: Parameters
) -> None:
    for number in range(10_000):
        inbox.take(encode_message(SCALE, number / 10_000), DESK)
        inbox.take(encode_message(SEED, number), DESK)
    inbox.flush()
    snapshot = parameters.snapshot()
    assert snapshot[SCALE] == pytest.approx(0.9999)
    assert snapshot[SEED] == 9_999
    assert snapshot.version == 1
    assert inbox.counters.messages == 20_000
    assert inbox.counters.applied == 2
    assert inbox.counters.coalesced == 19_998


def test_one_bundle_sets_every_parameter_there_is_with_room_for_a_controllers_own_messages(
    inbox: Inbox, parameters: Parameters
) -> None:
    writable = [row for row in osc_schema.load() if row.access == "write" and not row.family]
    whole = [encode_message(row.address, *(osc_schema.flat(row.default) or ("",))) for row in writable if row.default]
    empty = [encode_message(row.address, "") for row in writable if row.default in ("", ())]
    zero = [encode_message(row.address, row.default) for row in writable if row.default in (0, False)]
    pressed = [encode_message(row.address, "a.png") for row in writable if row.type == "trigger"]
    assert len({*whole, *empty, *zero, *pressed}) == len(writable)
    inbox.take(bundle(*whole, *empty, *zero, *pressed, *[encode_message("/streamvace/ping", "mine")] * 8), DESK)
    assert inbox.counters.malformed == 0
    assert inbox.counters.messages == len(writable) + 8
    outcome = inbox.flush()
    assert len(outcome.requests) == 8
    named = {result.address for result in outcome.results}
    assert named >= {row.address for row in writable if row.type != "trigger"}


def test_a_bad_message_does_not_push_out_the_good_one_before_it(inbox: Inbox, parameters: Parameters) -> None:
    inbox.take(encode_message(SCALE, 0.5), DESK)
    inbox.take(encode_message(SCALE, math.nan), DESK)
    outcome = inbox.flush()
    assert parameters.snapshot()[SCALE] == 0.5
    assert inbox.counters.refused == 1
    assert "nan" in outcome.complaints[DESK, SCALE].line


def test_a_buttons_release_does_not_undo_its_press(inbox: Inbox, parameters: Parameters) -> None:
    inbox.take(encode_message(RESET, 1.0), DESK)
    inbox.take(encode_message(RESET, 0.0), DESK)
    inbox.flush()
    assert parameters.snapshot().generation == 1


def test_impulse_and_nothing_press_a_trigger(inbox: Inbox, parameters: Parameters) -> None:
    for datagram in (encode_message(RESET), padded(RESET.encode()), padded(RESET.encode()) + padded(b",I")):
        inbox.take(datagram, DESK)
        inbox.flush()
    assert parameters.snapshot().generation == 3


def test_a_bundle_becomes_one_version(inbox: Inbox, parameters: Parameters) -> None:
    inbox.take(bundle(encode_message(PROMPT, "blue"), encode_message(SCALE, 0.5), encode_message(RESET)), DESK)
    assert parameters.snapshot().version == 0
    inbox.flush()
    assert parameters.snapshot().version == 1
    assert parameters.snapshot().generation == 1


def test_a_bundle_for_later_waits_and_is_then_applied_whole(inbox: Inbox, parameters: Parameters, clock: Clock) -> None:
    inbox.take(bundle(encode_message(PROMPT, "later"), encode_message(SCALE, 0.5), at=clock.now + 10), DESK)
    inbox.take(encode_message(SCALE, 0.9), DESK)
    inbox.flush()
    assert parameters.snapshot()[SCALE] == pytest.approx(0.9)
    assert inbox.seconds_to_next() == pytest.approx(10)
    clock.now += 9.9
    inbox.flush()
    assert parameters.snapshot().version == 1
    clock.now += 0.2
    assert inbox.seconds_to_next() == 0.0
    inbox.flush()
    assert parameters.snapshot().version == 2
    assert (parameters.snapshot()[SCALE], parameters.snapshot()[PROMPT]) == (0.5, "later")
    assert inbox.seconds_to_next() is None
    assert inbox.counters.scheduled == 1


def test_a_time_tag_in_the_past_means_now(inbox: Inbox, parameters: Parameters, clock: Clock) -> None:
    inbox.take(bundle(encode_message(SCALE, 0.5), at=clock.now - 5), DESK)
    inbox.flush()
    assert parameters.snapshot()[SCALE] == 0.5


def test_a_time_tag_beyond_the_horizon_is_refused_and_said(inbox: Inbox, parameters: Parameters, clock: Clock) -> None:
    inbox.take(bundle(encode_message(SCALE, 0.5), at=clock.now + 3600), DESK)
    outcome = inbox.flush()
    assert inbox.counters.unscheduled == 1
    assert inbox.seconds_to_next() is None
    assert "3600 s ahead" in outcome.complaints[DESK, "bundle"].line
    clock.now += 4000
    inbox.flush()
    assert parameters.snapshot()[SCALE] == 1.0


def test_a_pattern_sets_every_parameter_it_names(inbox: Inbox, parameters: Parameters) -> None:
    inbox.take(encode_message("/streamvace/{pause,mask_invert}", 1.0), DESK)
    inbox.flush()
    assert parameters.snapshot().flag("/streamvace/pause")
    assert parameters.snapshot().flag("/streamvace/mask_invert")


def test_no_pattern_fires_a_trigger(inbox: Inbox, parameters: Parameters) -> None:
    """A `/*` meant for faders must not end the show."""
    for pattern in ("/streamvace/*", "/streamvace/q?it", "/streamvace/{quit,reset}"):
        inbox.take(encode_message(pattern, 1.0), DESK)
        inbox.flush()
    assert set(parameters.snapshot().fired.values()) == {0}


def test_patterns_a_datagram_are_bounded(inbox: Inbox, parameters: Parameters) -> None:
    extra = encode_message("/streamvace/contex?_scale", 0.25)
    inbox.take(bundle(*[encode_message("/streamvace/see?", 1)] * MAX_PATTERNS, extra), DESK)
    inbox.flush()
    assert parameters.snapshot()[SEED] == 1
    assert parameters.snapshot()[SCALE] == 1.0
    assert inbox.counters.refused == 1


def test_patterns_have_so_many_letters_between_them(inbox: Inbox, parameters: Parameters) -> None:
    stars = "/streamvace/see".ljust(MAX_PATTERN_LETTERS // 2, "?")
    inbox.take(bundle(*[encode_message(stars, 1)] * 3, encode_message("/streamvace/see?", 2)), DESK)
    inbox.flush()
    assert parameters.snapshot()[SEED] == 42, "the third went beyond the limit, and what came after it"
    assert inbox.counters.refused == 2


def test_a_datagram_names_so_many_addresses_and_what_is_too_much_is_counted(inbox: Inbox) -> None:
    everything = encode_message("/streamvace/*", "?")
    inbox.take(everything, DESK)
    each = len(inbox.flush().requests)
    assert 0 < each < MAX_NAMED
    inbox.take(bundle(*[everything] * MAX_PATTERNS), DESK)
    assert len(inbox.flush().requests) == MAX_NAMED
    assert inbox.counters.refused == each * MAX_PATTERNS - MAX_NAMED


def test_a_question_mark_or_nothing_asks(inbox: Inbox, parameters: Parameters) -> None:
    inbox.take(encode_message(SCALE, "?"), DESK)
    inbox.take(encode_message(PROMPT), OTHER)
    inbox.take(encode_message("/streamvace/status/latency_p{50,95}", "?"), DESK)
    asked = [(request.address, request.peer) for request in inbox.flush().requests]
    assert asked == [
        (SCALE, DESK),
        (PROMPT, OTHER),
        ("/streamvace/status/latency_p50", DESK),
        ("/streamvace/status/latency_p95", DESK),
    ]
    assert parameters.snapshot().version == 0


def test_every_service_of_the_schema_is_a_request(inbox: Inbox) -> None:
    for service in osc_schema.services():
        inbox.take(encode_message(service.address, 7), DESK)
    requests = inbox.flush().requests
    assert [request.address for request in requests] == [service.address for service in osc_schema.services()]
    assert all(request.arguments == (7,) for request in requests)


def test_requests_are_bounded_and_the_newest_stay(inbox: Inbox) -> None:
    for number in range(MAX_REQUESTS + 50):
        inbox.take(encode_message("/streamvace/ping", number), DESK)
    requests = inbox.flush().requests
    assert [request.arguments[0] for request in requests] == list(range(50, MAX_REQUESTS + 50))
    assert inbox.counters.requests_dropped == 50


def test_complaints_are_one_a_sender_and_address_and_bounded(inbox: Inbox) -> None:
    for port in range(1, 1000):
        for _ in range(3):
            inbox.take(encode_message(SCALE, 5.0), ("127.0.0.1", port))
    outcome = inbox.flush()
    assert len(outcome.complaints) == MAX_COMPLAINTS
    assert inbox.counters.clamped == 2997
    assert inbox.flush().complaints == {}


def test_unknown_addresses_are_counted_and_other_programs_are_not_told_about_theirs(inbox: Inbox) -> None:
    inbox.take(encode_message("/composition/layers/1/video/opacity", 0.5), DESK)
    inbox.take(encode_message("/streamvace/contxt_scale", 0.5), DESK)
    outcome = inbox.flush()
    assert inbox.counters.unknown == 2
    assert list(outcome.complaints) == [(DESK, "/streamvace/contxt_scale")]
    assert outcome.complaints[DESK, "/streamvace/contxt_scale"].line.endswith(f"did you mean {SCALE}?")
    [line] = outcome.notes.values()
    assert "/composition/layers/1/video/opacity is no address of this show" in line


def test_malformed_datagrams_are_counted_noted_once_and_change_nothing(inbox: Inbox, parameters: Parameters) -> None:
    broken = HEAD + struct.pack(">i", -4)
    for _ in range(1000):
        inbox.take(broken, DESK)
    outcome = inbox.flush()
    assert inbox.counters.malformed == 1000
    assert parameters.snapshot().version == 0
    assert outcome.complaints == {}, "nothing says that it is meant for this show"
    [line] = outcome.notes.values()
    assert "nothing of its bundle is used" in line


def test_a_text_in_latin_1_is_refused_with_what_it_would_read_as(inbox: Inbox) -> None:
    inbox.take(padded(PROMPT.encode()) + padded(b",s") + padded("rote W\u00fcrfel".encode("latin-1")), DESK)
    [complaint] = inbox.flush().complaints.values()
    assert complaint.line == f"{PROMPT}: a string is not UTF-8 (in Latin-1: 'rote W\u00fcrfel'); send UTF-8"
    assert inbox.counters.complaints == 1


@pytest.mark.parametrize(
    ("address", "arguments"),
    [
        ("/streamvace/status/fps", (99.0,)),
        ("/streamvace/status/error", ("a complaint of the other show",)),
        ("/streamvace/status/of_a_newer_version", (1,)),
        ("/streamvace/pong", ("token",)),
        ("/streamvace/cue/name", (1, "dusk")),
    ],
)
def test_answers_are_never_answered(inbox: Inbox, address: str, arguments: tuple[object, ...]) -> None:
    """Two shows that send each other what they should not must not complain for ever."""
    inbox.take(encode_message(address, *arguments), OTHER)
    inbox.take(padded(address.encode()) + padded(b",s") + padded(b"\xff"), OTHER)
    inbox.take(padded(address.encode()) + b"\1\2\3\4", OTHER)
    outcome = inbox.flush()
    assert (outcome.complaints, outcome.requests) == ({}, [])
    assert inbox.counters.complaints == 0
    assert inbox.counters.answers == 3
    assert [kind for _, kind in outcome.notes] == ["OSC answers"]
    inbox.monitor.end_turn()
    assert {row["fate"] for row in inbox.monitor.since(0)} == {"ignored"}


def test_arguments_without_type_tags_press_a_trigger_and_are_refused_elsewhere(
    inbox: Inbox, parameters: Parameters
) -> None:
    inbox.take(padded(RESET.encode()) + struct.pack(">f", 1.0), DESK)
    assert inbox.flush().complaints == {}
    assert parameters.snapshot().generation == 1
    for address, untyped in ((RESET, b"\0\0\0\0"), (SCALE, struct.pack(">f", 0.5)), (ADD, padded(b"a.png"))):
        inbox.take(padded(address.encode()) + untyped, DESK)
        assert "no type tags" in inbox.flush().complaints[DESK, address].line
    inbox.take(padded(b"/other") + struct.pack(">f", 0.5), DESK)
    assert inbox.flush().complaints == {}, "another program's own affair"
    assert parameters.snapshot().generation == 1
    assert parameters.snapshot()[SCALE] == 1.0


def test_every_action_of_a_burst_counts_in_its_order(inbox: Inbox, parameters: Parameters) -> None:
    for address, argument in ((ADD, "a.png"), (ADD, "b.png"), (REFERENCES, "c.png"), (ADD, "d.png")):
        inbox.take(encode_message(address, argument), DESK)
    inbox.flush()
    assert parameters.snapshot()[REFERENCES] == ("c.png", "d.png")
    assert inbox.counters.applied == 4
    assert inbox.counters.coalesced == 0


def test_what_is_set_again_comes_after_what_was_done_between(inbox: Inbox, parameters: Parameters) -> None:
    for address, name in ((REFERENCES, "a.png"), (ADD, "b.png"), (REFERENCES, "c.png")):
        inbox.take(encode_message(address, name), DESK)
    inbox.flush()
    assert parameters.snapshot()[REFERENCES] == ("c.png",)


def test_an_action_that_cannot_be_done_is_told_to_who_asked_for_it(inbox: Inbox, parameters: Parameters) -> None:
    inbox.take(encode_message("/streamvace/reference/remove", 3), OTHER)
    inbox.take(encode_message(ADD), DESK)
    outcome = inbox.flush()
    assert "there are 0" in outcome.complaints[OTHER, "/streamvace/reference/remove"].line
    assert "no value" in outcome.complaints[DESK, ADD].line
    assert inbox.counters.refused == 2
    assert parameters.snapshot().version == 0


def test_a_flood_of_actions_is_bounded_and_said(inbox: Inbox, parameters: Parameters) -> None:
    for number in range(MAX_ACTIONS + 10):
        inbox.take(encode_message(ADD, f"{number % 2}.png"), DESK)
    outcome = inbox.flush()
    assert parameters.snapshot().fired[ADD] == MAX_ACTIONS
    assert inbox.counters.refused == 10
    assert str(MAX_ACTIONS) in outcome.complaints[DESK, ADD].line
    inbox.take(encode_message(ADD, "again.png"), DESK)
    inbox.flush()
    assert parameters.snapshot().fired[ADD] == MAX_ACTIONS + 1


def test_what_a_host_may_not_set_is_refused_and_the_rest_of_its_cue_is_applied(
    parameters: Parameters, clock: Clock
) -> None:
    inputs = "/streamvace/input/control"
    cue = Cue("look", coerced({PROMPT: "a blue cube", inputs: "screen:1", SEED: 7}))
    asked: list[str] = []

    def forbids(host: str, address: str, value: object) -> str:
        asked.append(host)
        return f"{address}: not for {host}" if host == "192.0.2.7" and address == inputs else ""

    inbox = Inbox(parameters, clock, commands=Commands(parameters, CueList((cue,))), forbids=forbids)
    for stranger in (("192.0.2.7", 5000), ("tcp:192.0.2.7", 5000), surface_peer(1, "192.0.2.7")):
        parameters.set(PROMPT, ("before",), "somebody else")
        inbox.take(encode_message("/streamvace/cue/recall", "look"), stranger)
        inbox.take(encode_message(inputs, "screen:2"), stranger)
        [complaint] = inbox.flush().complaints.values()
        assert complaint.line == f"{inputs}: not for 192.0.2.7"
        assert parameters.snapshot()[inputs] == ""
        assert parameters.snapshot()[PROMPT] == "a blue cube"
    assert set(asked) == {"192.0.2.7"}
    for own in (DESK, surface_peer(2, "")):
        parameters.set(inputs, ("",), "somebody else")
        inbox.take(encode_message("/streamvace/cue/recall", "look"), own)
        inbox.flush()
        assert parameters.snapshot()[inputs] == "screen:1"
    assert set(asked) == {"192.0.2.7", "127.0.0.1"}


def test_what_a_host_may_not_set_it_cannot_bring_back_by_undoing_either() -> None:
    now_ns = 0
    inputs = "/streamvace/input/control"
    parameters = Parameters(clock=lambda: now_ns)
    for address in ("screen:1", "camera"):
        now_ns += 1_000_000_000
        parameters.set(inputs, (address,), "the operator")
    inbox = Inbox(
        parameters, forbids=lambda host, address, value: f"{value} is not for {host}" if value == "screen:1" else ""
    )
    inbox.take(encode_message("/streamvace/undo"), DESK)
    [complaint] = inbox.flush().complaints.values()
    assert complaint.line == "screen:1 is not for 127.0.0.1"
    assert parameters.snapshot()[inputs] == "camera"


def test_a_message_of_another_program_reaches_what_listens_to_it_and_is_no_complaint(
    parameters: Parameters, clock: Clock
) -> None:
    heard: list[tuple[str, tuple[object, ...]]] = []

    def hears(address: str, arguments: tuple[object, ...]) -> bool:
        heard.append((address, arguments))
        return address == "/hand/x"

    inbox = Inbox(parameters, clock, hears=hears)
    inbox.take(encode_message("/hand/x", 0.5), DESK)
    inbox.take(encode_message(SEED, 7), DESK)
    assert inbox.flush().complaints == {}
    assert heard == [("/hand/x", (0.5,))], "its own addresses are not asked for"
    inbox.monitor.end_turn()
    assert [row["fate"] for row in inbox.monitor.since(0)] == ["heard", "applied"]
    inbox.take(encode_message("/hand/y", 0.5), DESK)
    inbox.flush()
    inbox.monitor.end_turn()
    assert inbox.monitor.since(0)[-1]["fate"] == "ignored"
