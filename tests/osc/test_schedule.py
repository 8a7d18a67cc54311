"""Bundles for later wait in order, in bounds, and no longer than asked."""

from __future__ import annotations

from streamvace.osc.codec import Message
from streamvace.osc.schedule import HORIZON, MAX_BYTES, MAX_ENTRIES, Schedule

PEER = ("127.0.0.1", 5000)


def some(name: str) -> tuple[Message, ...]:
    return (Message(f"/{name}"),)


def names(schedule: Schedule, now: float, look_ahead: float = 0.0) -> list[str]:
    return [messages[0].address for messages, _ in schedule.pop_due(now, look_ahead)]


def test_earliest_first_and_of_one_time_in_order_of_arrival() -> None:
    schedule = Schedule()
    for due, name in [(3.0, "c"), (1.0, "a"), (2.0, "b1"), (2.0, "b2")]:
        assert schedule.add(due, 0.0, some(name), PEER, 10, ahead=False) == ""
    assert schedule.next_due(0.0) == 1.0
    assert names(schedule, 0.9) == []
    assert names(schedule, 2.0) == ["/a", "/b1", "/b2"]
    assert names(schedule, 9.0) == ["/c"]
    assert schedule.next_due(0.0) is None


def test_after_a_jump_of_the_clock_everything_due_comes_once_and_in_order() -> None:
    schedule = Schedule()
    for due, name, ahead in [(3.0, "c", True), (1.0, "a", False), (2.0, "b", True)]:
        schedule.add(due, 0.0, some(name), PEER, 10, ahead=ahead)
    assert names(schedule, 3600.0, look_ahead=0.5) == ["/a", "/b", "/c"]
    assert names(schedule, 3600.0, look_ahead=0.5) == []


def test_nothing_waits_longer_than_the_horizon() -> None:
    schedule = Schedule()
    assert schedule.add(HORIZON, 0.0, some("a"), PEER, 10, ahead=False) == ""
    refusal = schedule.add(HORIZON + 3300, 0.0, some("b"), PEER, 10, ahead=False)
    assert "3600 s ahead" in refusal
    assert "300 s" in refusal
    assert len(schedule) == 1


def test_the_number_waiting_is_bounded_and_room_comes_back() -> None:
    schedule = Schedule()
    for _ in range(MAX_ENTRIES):
        assert schedule.add(1.0, 0.0, some("a"), PEER, 10, ahead=False) == ""
    assert str(MAX_ENTRIES) in schedule.add(1.0, 0.0, some("b"), PEER, 10, ahead=False)
    assert len(names(schedule, 1.0)) == MAX_ENTRIES
    assert schedule.add(2.0, 1.0, some("b"), PEER, 10, ahead=False) == ""


def test_the_memory_waiting_is_bounded_and_comes_back() -> None:
    schedule = Schedule()
    assert schedule.add(1.0, 0.0, some("a"), PEER, MAX_BYTES - 10, ahead=False) == ""
    assert schedule.add(1.0, 0.0, some("b"), PEER, 11, ahead=False) != ""
    assert schedule.add(1.0, 0.0, some("c"), PEER, 10, ahead=False) == ""
    assert names(schedule, 1.0) == ["/a", "/c"]
    assert schedule.add(2.0, 1.0, some("d"), PEER, MAX_BYTES, ahead=False) == ""


def test_what_shapes_a_chunk_is_set_ahead_of_its_time_and_the_rest_on_it() -> None:
    schedule = Schedule()
    schedule.add(10.0, 0.0, some("chunk"), PEER, 10, ahead=True)
    schedule.add(9.5, 0.0, some("now"), PEER, 10, ahead=False)
    assert schedule.next_due(1.0) == 9.0
    assert names(schedule, 8.9, 1.0) == []
    assert names(schedule, 9.0, 1.0) == ["/chunk"]
    assert schedule.next_due(1.0) == 9.5
    assert names(schedule, 9.5, 1.0) == ["/now"]
