"""Log records: escaped, one line each, limited for each logger, and errors that end a thread are among them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from streamvace.telemetry.logs import ConsoleHandler, log_to_console, warnings_announced
from streamvace.telemetry.reporter import Reporter


class Rig:
    """A logger of its own with the handler, and the lines that it prints."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.now = 0
        self.log = logging.getLogger("tests.console")
        self.log.propagate = False
        self.log.setLevel(logging.DEBUG)
        self.log.handlers = [ConsoleHandler(self.lines.append, lambda: self.now)]


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.log.handlers = []


def test_a_record_is_one_escaped_line_whatever_it_carries(rig: Rig) -> None:
    rig.log.warning("sender %s", "\x1b[2JSTAGE\nERROR all is lost")
    assert rig.lines == ["WARNING tests.console: sender \\x1b[2JSTAGE ERROR all is lost"]
    ConsoleHandler(rig.lines.append).emit(
        logging.makeLogRecord({"name": "lib", "levelno": 30, "msg": "%d senders", "args": ("x",)})
    )
    assert "lib: %d senders (cannot be formatted" in rig.lines[-1]


def test_a_flood_is_limited_and_the_next_line_says_how_many_were_left_out(rig: Rig) -> None:
    for number in range(500):
        rig.log.error("bad request %d", number)
    assert len(rig.lines) == 20
    rig.now = 2_000_000_000
    rig.log.error("bad request 500")
    assert rig.lines[20:] == ["ERROR tests.console: bad request 500 (480 more before)"]


def test_debug_records_are_not_limited(rig: Rig) -> None:
    for number in range(500):
        rig.log.debug("step %d", number)
    assert len(rig.lines) == 500


def test_a_traceback_follows_its_line_indented_and_escaped(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    rig.log.handlers = [ConsoleHandler(clock=lambda: 0)]
    try:
        raise ValueError("\x1b]0;owned\x07")
    except ValueError:
        rig.log.exception("the listener failed")
    first, *trace = capsys.readouterr().err.splitlines()
    assert first == "ERROR tests.console: the listener failed"
    assert trace[-1] == "  ValueError: \\x1b]0;owned\\x07"
    assert all(line.startswith("  ") for line in trace)


def test_an_error_that_ends_a_thread_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr("sys.excepthook", None)

    def fail() -> None:
        raise ValueError("\x1b[2J")

    log_to_console(verbose=False)
    thread = threading.Thread(target=fail, name="grabs")
    thread.start()
    thread.join()
    assert "the thread 'grabs' ended because of an error of its own" in caplog.text


def test_warnings_of_the_program_are_the_newest_fault_on_every_surface_while_a_show_runs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A sender that goes away, a texture that cannot be opened: a controller sees no console."""
    caplog.set_level(logging.DEBUG, "streamvace")  # as with --verbose
    reporter = Reporter(write=lambda line: None, clock=lambda: 0)
    ours, other = logging.getLogger("streamvace.video.spout.source"), logging.getLogger("another.library")
    with warnings_announced(reporter.announce):
        ours.info("nothing to see")
        assert reporter.recent() == ""
        ours.warning("input spout:Resolume: the sender\x1b[2J went away")
        assert reporter.recent() == "input spout:Resolume: the sender\\x1b[2J went away"
        other.warning("of no interest to a performer")
        assert "Resolume" in reporter.recent()
    ours.warning("after the show")
    assert "Resolume" in reporter.recent()
