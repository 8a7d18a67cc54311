"""A child process reports its log lines and its end to the main thread, whatever happens."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pip_step import BootstrapError
from streamvace_td import child as module
from streamvace_td.child import Child, Ended, Event, Installing, Launched, Line
from streamvace_td.launch import Settings

PROGRAM = """
import sys, time
print("loading", flush=True)
words = sys.argv[sys.argv.index("--say") + 1:]
for word in words:
    if word == "wait":
        time.sleep(600)
    elif word == "fail":
        sys.exit("no such thing")
    else:
        print(word, flush=True)
"""
Begin = Callable[..., Child]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Starts a fake process: a module `streamvace` in the folder that prints its arguments."""
    (tmp_path / "streamvace.py").write_text(PROGRAM)
    (tmp_path / "pyproject.toml").touch()
    children: list[Child] = []

    def start(say: str, python: str = sys.executable, **how: object) -> Child:
        settings = Settings(tmp_path, options=f"--say {say}", python=python)
        children.append(Child(settings, **how))  # type: ignore[arg-type]
        return children[-1]

    yield start
    for each in children:
        each.kill()
        assert each.join(20)


def until(child: Child, reached: Callable[[list[Event]], object]) -> list[Event]:
    events: list[Event] = []
    end = time.monotonic() + 30
    while not reached(events):
        assert time.monotonic() < end, events
        events += child.events(100)
        time.sleep(0.005)
    return events


def ended(events: list[Event]) -> bool:
    return any(isinstance(event, Ended) for event in events)


def test_every_line_arrives_in_order_and_then_the_end(begin: Begin) -> None:
    events = until(begin("one two three"), ended)
    assert isinstance(events[0], Launched)
    assert events[1:] == [Line("loading"), Line("one"), Line("two"), Line("three"), Ended(0, "three")]


def test_the_last_line_of_a_failed_process_is_kept(begin: Begin) -> None:
    assert until(begin("fail"), ended)[-1] == Ended(1, "no such thing")


def test_a_process_can_be_terminated(begin: Begin) -> None:
    child = begin("wait")
    until(child, lambda events: Line("loading") in events)
    assert child.pid
    assert module.running()
    child.terminate()
    [*_, last] = until(child, ended)
    assert isinstance(last, Ended)
    assert last.code != 0
    assert child.pid == 0


def test_a_missing_python_is_reported_in_one_line(begin: Begin) -> None:
    [last] = until(begin("one", python="/no/such/python"), ended)
    assert isinstance(last, Ended)
    assert last.code == 2
    assert "/no/such/python" in last.line
    assert "\n" not in last.line


def test_touchdesigners_own_python_is_refused_in_one_line(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("find_python.inside_touchdesigner", lambda path: True)
    [last] = until(begin("one"), ended)
    assert isinstance(last, Ended)
    assert last.code == 2
    assert "TouchDesigner's own" in last.line
    assert "python.org" in last.line


def test_the_environment_is_created_with_the_base_python_of_the_component(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(module, "ensure", lambda *_, **how: asked.append(how["python"]) or Path(sys.executable))
    (tmp_path / "pyproject.toml").touch()
    until(Child(Settings(tmp_path, base_python="/opt/python3.12"), only_install=True), ended)
    assert asked == ["/opt/python3.12"]


def test_a_folder_without_streamvace_is_reported_before_anything_is_installed(tmp_path: Path) -> None:
    child = Child(Settings(tmp_path / "nothing"))
    [last] = until(child, ended)
    assert isinstance(last, Ended)
    assert "no streamvace in" in last.line


def test_what_is_missing_is_installed_first(begin: Begin) -> None:
    def install(progress: Callable[[int, int, str], None], cancelled: Callable[[], bool]) -> Path:
        progress(2, 4, "PyTorch")
        return Path(sys.executable)

    events = until(begin("one", python="", install=install), ended)
    assert events[0] == Installing("PyTorch")
    assert events[-1] == Ended(0, "one")


def test_an_installation_alone_starts_nothing(begin: Begin) -> None:
    def install(progress: Callable[[int, int, str], None], cancelled: Callable[[], bool]) -> Path:
        return Path(sys.executable)

    assert until(begin("one", python="", install=install, only_install=True), ended) == [Ended(0, "installed")]


def test_a_failed_installation_is_reported_in_one_line(begin: Begin) -> None:
    def install(progress: Callable[[int, int, str], None], cancelled: Callable[[], bool]) -> Path:
        raise BootstrapError("the disk is full")

    assert until(begin("one", python="", install=install), ended) == [Ended(2, "the disk is full")]


def test_an_installation_can_be_cancelled(begin: Begin) -> None:
    def install(progress: Callable[[int, int, str], None], cancelled: Callable[[], bool]) -> Path:
        while not cancelled():
            time.sleep(0.005)
        return Path(sys.executable)

    child = begin("one", python="", install=install)
    child.cancel()
    assert until(child, ended) == [Ended(2, "stopped")]


def test_a_process_that_is_taken_over_in_time_keeps_running(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ABANDONED_S", 0.3)
    child = begin("wait")
    until(child, lambda events: Line("loading") in events)
    module.leave("/project1/streamvace", child)
    assert module.take_over("/project1/other") is None
    assert module.take_over("/project1/streamvace") is child
    assert not child.join(0.8)


def test_an_abandoned_process_is_ended(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ABANDONED_S", 0.1)
    child = begin("wait")
    until(child, lambda events: Line("loading") in events)
    module.leave("/project1/deleted", child)
    assert child.join(20)


def test_of_too_many_lines_the_newest_are_kept(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_EVENTS", 10)
    child = begin(" ".join(map(str, range(300))))
    assert child.join(30)
    events = child.events(100)
    assert len(events) == 10
    assert events[-1] == Ended(0, "299")
