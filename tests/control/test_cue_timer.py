"""When the next cue comes by itself, on a clock that stands until it is moved."""

from __future__ import annotations

import threading

from streamvace.control.cue_timer import CueTimer
from tests.live.show import wait_until

SECOND = 1_000_000_000


class Clock:
    def __init__(self) -> None:
        self.time_ns = 0

    def __call__(self) -> int:
        return self.time_ns


def test_a_cue_that_is_followed_is_due_once_when_its_time_is_over() -> None:
    clock = Clock()
    timer = CueTimer(clock)
    assert not timer.due()
    timer.recalled(4.0)
    assert timer.left_s() == 4.0
    clock.time_ns = 4 * SECOND - 1
    assert not timer.due()
    clock.time_ns = 4 * SECOND
    assert timer.left_s() == 0.0
    assert timer.due()
    assert not timer.due()


def test_another_recall_replaces_what_was_waiting() -> None:
    clock = Clock()
    timer = CueTimer(clock)
    timer.recalled(4.0)
    clock.time_ns = 3 * SECOND
    timer.recalled(2.0)
    clock.time_ns = 4 * SECOND
    assert not timer.due()
    timer.recalled(None)
    clock.time_ns = 9 * SECOND
    assert not timer.due()
    assert timer.left_s() == 0.0


def test_while_cues_are_not_to_follow_one_that_is_due_is_dropped() -> None:
    clock, went, wanted = Clock(), [0], [False]
    timer = CueTimer(clock)
    timer.start(lambda: went.append(1), lambda: wanted[0])
    timer.recalled(1.0)
    assert timer.left_s() == 0.0, "nothing will come"
    clock.time_ns = 2 * SECOND
    assert not timer.due()
    wanted[0] = True
    assert not timer.due(), "it does not come later"
    timer.close()
    assert went == [0]


def test_the_thread_asks_for_the_next_cue_and_ends() -> None:
    gone = threading.Event()
    timer = CueTimer()
    timer.start(gone.set, lambda: True)
    timer.recalled(0.01)
    wait_until(gone.is_set, "the next cue")
    timer.close()
    assert not timer._thread.is_alive()
    CueTimer().close()
