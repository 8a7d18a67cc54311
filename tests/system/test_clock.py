"""How long a thread has waited, and what does not count."""

from __future__ import annotations

import pytest

from streamvace.system.clock import AwakeTime
from tests.live.show import SECOND, HandClock


def test_a_thread_that_looks_often_counts_all_of_its_time() -> None:
    clock = HandClock(100 * SECOND)
    waited = AwakeTime(clock)
    for _ in range(1500):
        clock.time_ns += SECOND // 50
        seconds = waited.seconds()
    assert seconds == pytest.approx(30.0)
    waited.restart()
    assert waited.seconds() == 0.0


def test_of_a_stall_at_most_a_second_counts() -> None:
    clock = HandClock(100 * SECOND)
    waited = AwakeTime(clock)
    clock.time_ns += SECOND // 2
    waited.seconds()
    clock.time_ns += 3600 * SECOND
    assert waited.seconds() == 1.5
    clock.time_ns += SECOND // 2
    assert waited.seconds() == 2.0
