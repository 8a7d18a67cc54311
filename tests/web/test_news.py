"""What a page is told besides pictures: only what has changed, read once for all pages."""

from __future__ import annotations

import json

import pytest

from streamvace.web.news import Beat, Topic, entries, leaps, message, whole


def test_a_topic_is_read_once_per_interval_for_all_pages() -> None:
    now, reads = [0], []

    def read() -> list[int]:
        reads.append(now[0])
        return [7]

    topic = Topic("figures", read, 0.5, clock=lambda: now[0])
    values = [topic.value() for _ in range(12)]
    now[0] = 499_999_999
    values.append(topic.value())
    assert reads == [0]
    now[0] = 500_000_000
    values.append(topic.value())
    assert reads == [0, 500_000_000]
    assert all(value is values[0] for value in values), "equal values are one object, so a page need not compare"


def test_a_changed_value_is_sent_whole_or_by_its_changed_entries() -> None:
    assert whole([1, 2], [1, 2]) is None
    assert whole([1, 2], [1, 3]) == [1, 3]
    assert entries(None, {"a": 1, "b": 2}) == {"a": 1, "b": 2}
    assert entries({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 0}) == {"b": 3, "c": 0}
    assert entries({"a": 1}, {"a": 1}) is None
    with pytest.raises(TypeError, match="a mapping"):
        entries(None, [1])


def test_a_beat_that_goes_on_as_it_did_is_no_news_for_four_seconds() -> None:
    first = Beat(8.0, 120.0, running=True, at=100.0)
    assert leaps(None, first) is first
    for second in (0.1, 1.0, 3.9):
        assert leaps(first, Beat(8.0 + 2 * second, 120.0, running=True, at=100.0 + second)) is None
    for other in (
        Beat(8.3, 120.0, running=True, at=100.1),  # tapped anew
        Beat(8.2, 121.0, running=True, at=100.1),
        Beat(8.2, 120.0, running=False, at=100.1),
        Beat(16.0, 120.0, running=True, at=104.0),  # again: the tempo is only so exact
    ):
        assert leaps(first, other) is other
    standing = Beat(8.0, 120.0, running=False, at=100.0)
    assert leaps(standing, standing._replace(at=150.0)) is None


def test_a_message_is_always_json() -> None:
    text = message({"stats": {"a": float("nan"), "b": [float("inf"), 1.5]}, "line": "\ud800</script>"})
    assert "NaN" not in text
    assert json.loads(text)["stats"] == {"a": None, "b": [None, 1.5]}
