"""Who hears what, and for how long."""

from __future__ import annotations

import math

import pytest

import osc_schema
from streamvace.osc.feedback import EXPIRY, MAX_A_HOST, MAX_SUBSCRIBERS, StatusBoard, Subscribers
from streamvace.osc.peer import writer_name

DESK = ("10.0.0.1", 5000)
TABLET = ("10.0.0.2", 6000)


def test_feedback_goes_to_the_sender_or_to_the_port_it_named() -> None:
    subscribers = Subscribers()
    assert subscribers.add(DESK, None, 0.0) == ""
    assert subscribers.add(TABLET, 9001, 0.0) == ""
    assert subscribers.targets() == [DESK, ("10.0.0.2", 9001)]
    assert subscribers.target_of(TABLET) == ("10.0.0.2", 9001)
    assert subscribers.target_of(("10.0.0.3", 1)) == ("10.0.0.3", 1)


def test_everyone_hears_but_the_writer_wherever_it_listens() -> None:
    subscribers = Subscribers()
    subscribers.add(DESK, None, 0.0)
    subscribers.add(TABLET, 9001, 0.0)
    assert subscribers.targets(without=writer_name(TABLET)) == [DESK]
    assert subscribers.targets(without=writer_name(("10.0.0.2", 9001))) == [DESK]
    assert subscribers.targets(without="web") == [DESK, ("10.0.0.2", 9001)]


def test_the_silent_are_forgotten_and_the_heard_are_not() -> None:
    subscribers = Subscribers()
    subscribers.add(DESK, None, 0.0)
    subscribers.add(TABLET, 9001, 0.0)
    subscribers.heard_from(TABLET, EXPIRY)
    subscribers.forget_silent(EXPIRY + 1)
    assert subscribers.targets() == [("10.0.0.2", 9001)]


def test_a_time_in_which_nobody_could_be_heard_is_no_silence() -> None:
    subscribers = Subscribers()
    subscribers.add(DESK, None, 0.0)
    subscribers.stood_still(3600.0)
    subscribers.forget_silent(3600.0 + EXPIRY)
    assert subscribers.targets() == [DESK]
    subscribers.forget_silent(3601.0 + EXPIRY)
    assert subscribers.targets() == []


def test_a_flood_of_strangers_does_not_push_out_the_desk() -> None:
    subscribers = Subscribers()
    subscribers.add(DESK, None, 0.0)
    refusals = [subscribers.add((f"10.9.{port % 100}.9", port), None, 1.0) for port in range(1, 1000)]
    assert len(subscribers) == MAX_SUBSCRIBERS
    assert DESK in subscribers.targets()
    assert str(MAX_SUBSCRIBERS) in refusals[-1]


def test_a_host_that_forges_ports_leaves_room_for_the_others() -> None:
    subscribers = Subscribers()
    refusals = [subscribers.add(("10.9.9.9", 5000), port, 1.0) for port in range(1, 1000)]
    assert len(subscribers) == MAX_A_HOST < MAX_SUBSCRIBERS
    assert "at 10.9.9.9" in refusals[-1]
    assert subscribers.add(("10.9.9.9", 5000), 1, 1.0) == "", "who is in may renew"
    assert subscribers.add(DESK, None, 1.0) == ""
    assert subscribers.add(DESK, None, 2.0) == "", "who is in may renew"


def test_there_is_room_again_when_the_silent_are_gone() -> None:
    subscribers = Subscribers()
    for port in range(1, MAX_SUBSCRIBERS + 1):
        subscribers.add(("10.9.9.9", port), None, 0.0)
    assert subscribers.add(DESK, None, EXPIRY + 1) == ""
    assert subscribers.targets() == [DESK]


def test_unsubscribing_with_a_port_ends_that_one_and_without_ends_all_of_the_sender() -> None:
    subscribers = Subscribers()
    for port in (None, 9001, 9002):
        subscribers.add(DESK, port, 0.0)
    subscribers.add(TABLET, None, 0.0)
    subscribers.remove(DESK, 9001)
    assert subscribers.targets() == [DESK, ("10.0.0.1", 9002), TABLET]
    subscribers.remove(DESK, None)
    assert subscribers.targets() == [TABLET]
    subscribers.remove(DESK, 1234)


@pytest.fixture
def board() -> StatusBoard:
    return StatusBoard(osc_schema.by_address())


def test_the_board_starts_with_every_output_of_the_schema(board: StatusBoard) -> None:
    assert board.values() == {row.address: row.default for row in osc_schema.load() if row.access == "read"}
    assert board.take_news() == {}


def test_only_what_changed_is_news_and_only_once(board: StatusBoard) -> None:
    board.publish("/streamvace/status/fps", 10)
    board.publish("/streamvace/status/fps", 12)
    board.publish("/streamvace/status/dropped", 0)
    assert board.take_news() == {"/streamvace/status/fps": 12.0}
    board.publish("/streamvace/status/fps", 12.0)
    assert board.take_news() == {}


def test_values_take_the_schemas_type_and_length(board: StatusBoard) -> None:
    board.publish("/streamvace/status/chunk", 7.0)
    board.publish("/streamvace/status/error", "a\0b \ud83d" + "x" * 1000)
    news = board.take_news()
    assert news["/streamvace/status/chunk"] == 7
    assert isinstance(news["/streamvace/status/chunk"], int)
    assert str(news["/streamvace/status/error"]).startswith("ab ?xxx")
    assert len(str(news["/streamvace/status/error"])) == 500


def test_a_figure_that_is_none_is_not_shown(board: StatusBoard) -> None:
    for nonsense in (math.nan, math.inf):
        board.publish("/streamvace/status/latency_p50", nonsense)
    assert board.take_news() == {}


def test_bugs_of_the_publisher_are_loud(board: StatusBoard) -> None:
    with pytest.raises(KeyError):
        board.publish("/streamvace/status/nothing", 1)
    with pytest.raises(KeyError):
        board.publish("/streamvace/seed", 1)
    with pytest.raises(TypeError):
        board.publish("/streamvace/status/fps", "fast")
    with pytest.raises(TypeError):
        board.publish("/streamvace/status/state", 1)
