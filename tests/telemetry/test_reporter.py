"""What the reporter promises: every fault counted and said, but no flood of kinds or hosts fills the console."""

from __future__ import annotations

from streamvace.telemetry.reporter import MOST_KINDS, Reporter

SECOND = 1_000_000_000


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


def test_a_report_is_always_one_line_of_harmless_letters() -> None:
    lines: list[str] = []
    reporter = Reporter(lines.append, Second())
    reporter.report("worker", "first\nsecond\r\n third \x1b]0;owned\x07" + "x" * 1000)
    assert lines[0].startswith("worker: first second third \\x1b]0;owned\\x07xxx")
    assert len(lines[0]) < 520
    assert reporter.recent() == lines[0]


def test_three_thousand_kinds_are_a_few_lines_and_a_bounded_table() -> None:
    """A controller that walks through `input/*` makes a fault of a new kind with each message."""
    lines: list[str] = []
    clock = Second()
    reporter = Reporter(lines.append, clock)
    for number in range(3000):
        clock.now += 1_000_000
        reporter.report(f"input file:{number}.mp4", "no such file")
    assert len(lines) <= 20 + 3 * 5
    clock.now += 3_600 * SECOND
    for _ in range(100):
        reporter.flush()
        clock.now += SECOND
    assert any("input file:2999.mp4" in line for line in lines), "the newest one is printed in the end"
    assert len(lines) <= 20 + 3 * 5 + MOST_KINDS
    assert len(reporter.counts()) <= MOST_KINDS + 1
    assert sum(reporter.counts().values()) == 3000


def test_a_complaint_is_printed_by_the_next_flush_and_never_on_the_thread_that_makes_it() -> None:
    lines: list[str] = []
    reporter = Reporter(lines.append, Second())
    reporter.complain("OSC refused", "seed: takes one int, got 'x'", "10.0.0.5")
    assert lines == []
    reporter.flush()
    assert lines == ["OSC refused: seed: takes one int, got 'x'"]


def test_a_complaint_is_news_of_its_own_for_ten_seconds_and_a_note_is_none() -> None:
    clock = Second()
    reporter = Reporter(lambda line: None, clock)
    reporter.complain("OSC refused", "seed \x1b[2J", "10.0.0.5")
    reporter.note("OSC answers", "another show sends here", "10.0.0.5")
    assert (reporter.complaint(), reporter.recent()) == ("seed \\x1b[2J", "")
    clock.now = 10 * SECOND
    assert reporter.complaint() == ""


def test_who_goes_on_all_evening_is_repeated_once_a_minute() -> None:
    lines: list[str] = []
    clock = Second()
    reporter = Reporter(lines.append, clock)
    for _ in range(20 * 600):  # ten minutes
        reporter.complain("OSC clamped", "scale: 3, used 2", "10.0.0.5")
        reporter.flush()
        clock.now += 50_000_000
    assert len(lines) < 20
    told = sum(int(line.rpartition("(")[2].split()[0]) for line in lines[1:]) + 1
    assert told > 20 * 600 * 0.9, "each line says how many there were"


def test_one_host_cannot_use_up_the_lines_of_another() -> None:
    lines: list[str] = []
    clock = Second()
    reporter = Reporter(lines.append, clock)
    for _ in range(60):
        for kind in range(40):
            reporter.complain(f"kind {kind}", "flood", "10.0.0.6")
        reporter.flush()
        clock.now += SECOND
    flood = len(lines)
    reporter.complain("OSC refused", "the performer's", "10.0.0.5")
    reporter.flush()
    assert "OSC refused: the performer's" in lines[flood:]
    assert flood <= 5 + 60 / 2


def test_a_flood_from_everywhere_leaves_the_shows_own_faults_their_line() -> None:
    lines: list[str] = []
    clock = Second()
    reporter = Reporter(lines.append, clock)
    for number in range(5000):
        reporter.complain("OSC refused", f"flood {number}", f"10.0.{number // 250}.{number % 250}")
    reporter.flush()
    assert len(lines) == 10
    reporter.report("output", "the disk is full")
    assert lines[10:] == ["output: the disk is full"]
    for _ in range(300):
        clock.now += SECOND
        reporter.flush()
    assert len(lines) <= 11 + MOST_KINDS
    assert "others: OSC refused: flood 4999 (" in "\n".join(lines)
