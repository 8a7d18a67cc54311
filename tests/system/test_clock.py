"""How long a thread has waited, and what does not count."""

from __future__ import annotations

import ctypes
import sys
from types import SimpleNamespace

import pytest

from streamvace.system.clock import AwakeTime, fine_timer
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


@pytest.mark.parametrize(("answer", "calls"), [(0, ["begin 1", "end 1"]), (97, ["begin 1"])])
def test_a_show_on_windows_asks_for_a_timer_of_a_millisecond_and_gives_it_back(
    monkeypatch: pytest.MonkeyPatch, answer: int, calls: list[str]
) -> None:
    """97 is TIMERR_NOCANDO: what was not granted is not given back."""
    seen: list[str] = []
    library = SimpleNamespace(
        timeBeginPeriod=lambda period: seen.append(f"begin {period}") or answer,
        timeEndPeriod=lambda period: seen.append(f"end {period}"),
    )
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "WinDLL", lambda name: {"winmm": library}[name], raising=False)
    with pytest.raises(KeyError), fine_timer():
        raise KeyError("whatever ends the show")
    assert seen == calls
