"""What the console promises: one line each, on any encoding, and no foreign character that a terminal obeys."""

from __future__ import annotations

import io
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamvace.system.console import escaped, in_one_line, one_line, say
from streamvace.system.errors import UserError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("a\x9b31mb", "a\\x9b31mb"),
        ("gnp.\u202efdp", "gnp.\\u202efdp"),
        ("\u2066hidden\u2069", "\\u2066hidden\\u2069"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("line\u2028break\x85", "line\\u2028break\\x85"),
        ("half \ud83d", "half \\ud83d"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("W\u00fcrfel \u6f22\u5b57 \U0001f600", "W\u00fcrfel \u6f22\u5b57 \U0001f600"),
    ],
)
def test_what_a_terminal_obeys_is_escaped_and_what_people_read_stays(text: str, shown: str) -> None:
    assert escaped(text) == shown


@given(st.text(st.characters()))
def test_escaped_text_is_printable_and_is_not_escaped_twice(text: str) -> None:
    assert escaped(text).isprintable()
    assert escaped(escaped(text)) == escaped(text)
    assert "\n" not in in_one_line(text)


def test_an_error_is_one_line_with_its_type_and_one_for_the_user_is_its_message() -> None:
    assert one_line(ValueError("a\nb")) == "ValueError: a b"
    assert one_line(ValueError("a\x1b[2Jb")) == "ValueError: a\\x1b[2Jb"
    assert one_line(KeyboardInterrupt()) == "KeyboardInterrupt"
    assert one_line(UserError("size 3x3:\ntry 256x256")) == "size 3x3: try 256x256"


def test_a_console_that_cannot_show_a_letter_gets_it_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, encoding="cp1252"))
    say("prompt \u6f22 \u00e9 \x1b[31m")
    sys.stderr.flush()
    assert raw.getvalue().decode("cp1252").strip() == "prompt \\u6f22 \u00e9 \\x1b[31m"


def test_a_line_and_its_end_are_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads report at the same time; between two writes another one's line would get in."""
    written: list[str] = []

    class Stream(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            return len(text)

    monkeypatch.setattr(sys, "stderr", Stream())
    say("a line")
    assert written == ["a line\n"]


def test_a_program_without_a_console_says_nothing_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", None)
    say("nobody reads this")
