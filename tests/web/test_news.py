"""What a page is told besides pictures: only what has changed, read once for all pages."""

from __future__ import annotations

import json

import pytest

from streamvace.web.news import Topic, entries, message, whole


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


def test_a_message_is_always_json() -> None:
    text = message({"stats": {"a": float("nan"), "b": [float("inf"), 1.5]}, "line": "\ud800</script>"})
    assert "NaN" not in text
    assert json.loads(text)["stats"] == {"a": None, "b": [None, 1.5]}
