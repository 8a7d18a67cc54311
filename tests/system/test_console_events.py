"""The end of a console or of a session: the show hears of it first, and Windows waits while it closes its outputs."""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from streamvace.system import console_events
from streamvace.system.console_events import answer, children_without_interrupts, ended_by_windows, handled

CTRL_C, CTRL_BREAK, CLOSE, LOGOFF, SHUTDOWN = 0, 1, 2, 5, 6
QUERY_END, END, PAINT = 0x11, 0x16, 0x0F


@pytest.fixture(autouse=True)
def not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console_events, "_held", threading.Event())


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


def test_ctrl_c_is_left_to_python(order: list[str]) -> None:
    assert not handled(CTRL_C, lambda: order.append("stops"))
    assert order == []


def test_ctrl_break_stops_the_show_and_is_not_held_because_windows_lets_the_process_live(order: list[str]) -> None:
    assert handled(CTRL_BREAK, lambda: order.append("stops"))
    assert order == ["stops"]


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


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of Windows' list of handlers, on any system."""
    asked: list[str] = []

    def change(handler: object, add: bool) -> None:
        asked.append(f"{'adds' if add else 'removes'} {'no Ctrl-C' if handler is None else 'a handler'}")

    user = SimpleNamespace(PostThreadMessageW=lambda *_: None)
    libraries = {"kernel32": SimpleNamespace(SetConsoleCtrlHandler=change), "user32": user}
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "WinDLL", lambda name: libraries[name], raising=False)
    monkeypatch.setattr(ctypes, "WINFUNCTYPE", lambda *_: lambda function: function, raising=False)
    monkeypatch.setattr(console_events, "_watch_session", lambda stop, watching: watching.set())
    return asked


def test_a_handler_is_taken_back_and_a_child_is_started_without_ctrl_c(handlers: list[str]) -> None:
    with ended_by_windows(lambda: None), children_without_interrupts():
        pass
    assert handlers == ["adds a handler", "adds no Ctrl-C", "removes no Ctrl-C", "removes a handler"]


@pytest.mark.usefixtures("order")
def test_while_windows_holds_the_list_of_handlers_nobody_changes_it_and_the_show_ends(handlers: list[str]) -> None:
    with ended_by_windows(lambda: None):
        handled(CLOSE, lambda: None)
        with children_without_interrupts():
            pass
    assert handlers == ["adds a handler"]
