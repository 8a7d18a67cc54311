"""The terminal: the one place that prints, and the one place that makes foreign text harmless.

Names of NDI senders, file names, OSC strings and error messages of libraries come from outside. A terminal obeys the
control characters in them, and bidirectional controls make a line read as another one.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TextIO

from streamvace.system.errors import UserError


def escaped(text: str) -> str:
    """The text with every character that is not printable as its escape: `\\x1b`, `\\u202e`. Idempotent.

    Line breaks and tabs are escaped too; `in_one_line` keeps them as spaces.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def in_one_line(text: str) -> str:
    """The text in one line, with single spaces, escaped."""
    return escaped(" ".join(text.split()))


def one_line(error: BaseException) -> str:
    """An exception as one escaped line: type and message, at most 400 characters. A UserError: its whole message."""
    text = in_one_line(str(error))
    if isinstance(error, UserError):
        return text
    return f"{type(error).__name__}: {text}"[:400] if text else type(error).__name__


def say(line: str) -> None:
    """Print one line on stderr, escaped, as is what the stream's encoding lacks. A closed or missing one is ignored."""
    stream: TextIO | None = sys.stderr
    if stream is None:  # a program without a console, such as pythonw
        return
    encoding = getattr(stream, "encoding", None) or "ascii"
    with suppress(OSError, ValueError):  # without a terminal nobody reads the line, and the show must shut down cleanly
        # In one piece: print() writes the end of the line by itself, and another thread's line gets in between.
        stream.write(escaped(line).encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
