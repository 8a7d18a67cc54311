"""What the reporter promises: every fault counted, each kind said at most once a second, on any console."""

from __future__ import annotations

import io
import sys

import pytest

from streamvace.system.errors import UserError
from streamvace.telemetry.reporter import Reporter, one_line, say


class Second:
    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now


def test_a_thousand_faults_in_a_second_are_two_lines_with_the_count() -> None:
    lines: list[str] = []
    clock = Second()
    reporter = Reporter(lines.append, clock)
    for i in range(1000):
        reporter.report("input", f"broken {i}")
    assert lines == ["input: broken 0"]
    clock.now = 1_000_000_000
    reporter.flush()
    assert lines[1:] == ["input: broken 999 (999 times)"]
    reporter.flush()
    assert len(lines) == 2
    assert reporter.counts() == {"input": 1000}


def test_one_kind_does_not_silence_another() -> None:
    lines: list[str] = []
    reporter = Reporter(lines.append, Second())
    reporter.report("input", "a")
    reporter.report("output", "b")
    assert lines == ["input: a", "output: b"]
    assert reporter.recent() == "output: b"


def test_the_newest_line_is_news_for_ten_seconds() -> None:
    clock = Second()
    reporter = Reporter(lambda line: None, clock)
    assert reporter.recent() == ""
    reporter.report("picture", "no file\ncat.png")
    clock.now = 9_000_000_000
    assert reporter.recent() == "picture: no file cat.png"
    clock.now = 10_000_000_000
    assert reporter.recent() == ""


def test_a_report_is_always_one_line() -> None:
    lines: list[str] = []
    Reporter(lines.append, Second()).report("worker", "first\nsecond\r\n third")
    assert lines == ["worker: first second third"]
    assert one_line(ValueError("a\nb")) == "ValueError: a b"
    assert one_line(KeyboardInterrupt()) == "KeyboardInterrupt"
    assert one_line(UserError("size 3x3:\ntry 256x256")) == "size 3x3: try 256x256"


def test_a_console_that_cannot_show_a_letter_gets_it_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, encoding="cp1252"))
    say("prompt \u6f22 \u00e9")
    sys.stderr.flush()
    assert raw.getvalue().decode("cp1252").strip() == "prompt \\u6f22 \u00e9"
