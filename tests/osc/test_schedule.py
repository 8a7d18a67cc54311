"""Bundles for later wait in order, in bounds, and no longer than asked."""

from __future__ import annotations

from streamvace.osc.codec import Message
from streamvace.osc.schedule import HORIZON, MAX_BYTES, MAX_ENTRIES, Schedule

PEER = ("127.0.0.1", 5000)


def some(name: str) -> tuple[Message, ...]:
    return (Message(f"/{name}"),)


def names(schedule: Schedule, now: float) -> list[str]:
    return [messages[0].address for messages, _ in schedule.pop_due(now)]


def test_earliest_first_and_of_one_time_in_order_of_arrival() -> None:
    schedule = Schedule()
    for due, name in [(3.0, "c"), (1.0, "a"), (2.0, "b1"), (2.0, "b2")]:
        assert schedule.add(due, 0.0, some(name), PEER, 10) == ""
    assert schedule.next_due() == 1.0
    assert names(schedule, 0.9) == []
    assert names(schedule, 2.0) == ["/a", "/b1", "/b2"]
    assert names(schedule, 9.0) == ["/c"]
    assert schedule.next_due() is None


def test_nothing_waits_longer_than_the_horizon() -> None:
    schedule = Schedule()
    assert schedule.add(HORIZON, 0.0, some("a"), PEER, 10) == ""
    refusal = schedule.add(HORIZON + 3300, 0.0, some("b"), PEER, 10)
    assert "3600 s ahead" in refusal
    assert "300 s" in refusal
    assert len(schedule) == 1


def test_the_number_waiting_is_bounded_and_room_comes_back() -> None:
    schedule = Schedule()
    for _ in range(MAX_ENTRIES):
        assert schedule.add(1.0, 0.0, some("a"), PEER, 10) == ""
    assert str(MAX_ENTRIES) in schedule.add(1.0, 0.0, some("b"), PEER, 10)
    assert len(names(schedule, 1.0)) == MAX_ENTRIES
    assert schedule.add(2.0, 1.0, some("b"), PEER, 10) == ""


def test_the_memory_waiting_is_bounded_and_comes_back() -> None:
    schedule = Schedule()
    assert schedule.add(1.0, 0.0, some("a"), PEER, MAX_BYTES - 10) == ""
    assert schedule.add(1.0, 0.0, some("b"), PEER, 11) != ""
    assert schedule.add(1.0, 0.0, some("c"), PEER, 10) == ""
    assert names(schedule, 1.0) == ["/a", "/c"]
    assert schedule.add(2.0, 1.0, some("d"), PEER, MAX_BYTES) == ""
