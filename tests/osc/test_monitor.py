"""The monitor: the last messages in with their fate, merged, bounded, and safe to show."""

from __future__ import annotations

import json

import pytest

from streamvace.control.beats import BeatGate
from streamvace.control.parameters import Parameters
from streamvace.osc.codec import encode_message
from streamvace.osc.inbox import Inbox
from streamvace.osc.monitor import LONGEST_ARGUMENTS, MOST_ROWS
from tests.osc.packets import SCALE, bundle

NOW = 1_700_000_000.0
DESK = ("10.0.0.5", 5000)
SEED, PROMPT, RESET = "/streamvace/seed", "/streamvace/prompt", "/streamvace/reset"


class HoldingGate(BeatGate):
    """A beat that has not come yet."""

    holding = True

    def next_beat(self) -> float:
        return 4.0

    def wait_s(self, beat: float) -> float:
        return 1.0


@pytest.fixture
def inbox() -> Inbox:
    return Inbox(Parameters(), lambda: NOW)


def end_turn(inbox: Inbox) -> None:
    """As the server does."""
    inbox.flush()
    inbox.monitor.end_turn()


def fates(inbox: Inbox, since: int = 0) -> list[tuple[object, object]]:
    end_turn(inbox)
    return [(row["address"], row["fate"]) for row in inbox.monitor.since(since)]


def test_every_message_has_a_fate_and_its_reason(inbox: Inbox) -> None:
    inbox.take(encode_message(SEED, 7), DESK)
    inbox.take(encode_message(SCALE, 3.5), DESK)
    inbox.take(encode_message(PROMPT, 1, 2), DESK)
    inbox.take(encode_message(SEED, "?"), DESK)
    inbox.take(encode_message("/streamvace/ping"), DESK)
    inbox.take(encode_message(RESET, 0.0), DESK)
    inbox.take(encode_message("/prompt", "x"), DESK)
    inbox.take(encode_message("/other", 1), DESK)
    inbox.take(b"rubbish\0", DESK)
    inbox.take(bundle(encode_message(SCALE, 0.5), at=NOW + 10), DESK)
    inbox.take(bundle(encode_message(SCALE, 0.5), at=NOW + 4000), DESK)
    assert fates(inbox) == [
        (SEED, "applied"),
        (SCALE, "clamped"),
        (PROMPT, "refused"),
        (SEED, "answered"),
        ("/streamvace/ping", "answered"),
        (RESET, "ignored"),
        ("/prompt", "unknown"),
        ("/other", "ignored"),
        ("(not OSC)", "refused"),
        (SCALE, "waits"),
        (SCALE, "refused"),
    ]
    why = [str(row["why"]) for row in inbox.monitor.since(0)]
    assert "limited to 2 (range 0-2), got 3.5" in why[1]
    assert "did you mean /streamvace/prompt?" in why[6]
    assert why[9] == "10 s until its time tag"
    assert "4000 s ahead" in why[10]


def test_what_waits_for_the_beat_says_so() -> None:
    inbox = Inbox(Parameters(), lambda: NOW, gate=HoldingGate())
    inbox.take(encode_message(PROMPT, "dusk"), DESK)
    assert fates(inbox) == [(PROMPT, "waits")]


def test_a_bundle_whose_time_has_come_is_shown_again_as_applied() -> None:
    clock = [NOW]
    inbox = Inbox(Parameters(), lambda: clock[0])
    inbox.take(bundle(encode_message(SCALE, 0.5), at=NOW + 10), DESK)
    assert fates(inbox) == [(SCALE, "waits")]
    clock[0] += 11
    assert fates(inbox, since=1) == [(SCALE, "applied")]


def test_a_message_that_an_edit_refuses_at_the_end_of_the_turn_is_refused() -> None:
    from streamvace.control.reference_list import EDITS

    inbox = Inbox(Parameters(edits=EDITS), lambda: NOW)
    inbox.take(encode_message("/streamvace/reference/remove", 3), DESK)
    assert fates(inbox) == [("/streamvace/reference/remove", "refused")]


def test_a_moved_fader_is_one_row_with_its_newest_value_and_their_number(inbox: Inbox) -> None:
    for step in range(100):
        inbox.take(encode_message(SCALE, step / 100), DESK)
        inbox.take(encode_message(SEED, step), DESK)
        end_turn(inbox)
    scale, seed = inbox.monitor.since(0)
    assert (scale["arguments"], scale["times"], scale["number"]) == ("0.99", 100, 199)
    assert (seed["arguments"], seed["from"]) == ("99", "10.0.0.5:5000")
    assert inbox.monitor.since(199) == [seed]
    assert inbox.monitor.since(200) == []


def test_a_flood_keeps_a_bounded_number_of_short_harmless_rows(inbox: Inbox) -> None:
    for number in range(3000):
        inbox.take(encode_message(f"/a/{number}", "\x1b[2J\u202e\n" + "x" * 5000, *["y"] * 20), ("tcp:10.0.0.6", 7))
        if number % 100 == 0:
            end_turn(inbox)
    end_turn(inbox)
    rows = inbox.monitor.since(0)
    assert len(rows) == MOST_ROWS
    assert rows[-1]["address"] == "/a/2999"
    assert rows[-1]["from"] == "tcp 10.0.0.6:7"
    assert all(len(str(row["arguments"])) <= LONGEST_ARGUMENTS for row in rows)
    assert all(str(value).isprintable() for row in rows for value in row.values())
    json.dumps(rows)
