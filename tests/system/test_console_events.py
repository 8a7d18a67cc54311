"""The end of a console or of a session: the show hears of it first, and Windows waits while it closes its outputs."""

from __future__ import annotations

import time

import pytest

from streamvace.system import console_events
from streamvace.system.console_events import answer, ended_by_windows, handled

CTRL_C, CTRL_BREAK, CLOSE, LOGOFF, SHUTDOWN = 0, 1, 2, 5, 6
QUERY_END, END, PAINT = 0x11, 0x16, 0x0F


@pytest.fixture
def order(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a handler did, in order; its wait is over at once."""
    done: list[str] = []
    monkeypatch.setattr(time, "sleep", lambda seconds: done.append("waits" if seconds > 20 else "returns too soon"))
    return done


@pytest.mark.parametrize("event", [CLOSE, LOGOFF, SHUTDOWN])
def test_a_closed_console_stops_the_show_and_is_held_until_the_process_has_ended(event: int, order: list[str]) -> None:
    assert handled(event, lambda: order.append("stops"))
    assert order == ["stops", "waits"]


@pytest.mark.parametrize("event", [CTRL_C, CTRL_BREAK])
def test_ctrl_c_is_left_to_python(event: int, order: list[str]) -> None:
    assert not handled(event, lambda: order.append("stops"))
    assert order == []


def test_logging_off_stops_the_show_unless_another_program_refuses(order: list[str]) -> None:
    def stop() -> None:
        order.append("stops")

    assert answer(QUERY_END, 1, stop) == 1, "the show does not refuse"
    assert answer(END, 0, stop) == 0
    assert answer(PAINT, 1, stop) is None
    assert order == []
    assert answer(END, 1, stop) == 0
    assert order == ["stops", "waits"]


def test_the_handlers_are_set_and_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_events, "_HELD_S", 0.0)
    for _ in range(2):
        with ended_by_windows(lambda: None):
            pass
