"""An address as a QR code of text lines, for a phone that looks at the terminal."""

from __future__ import annotations

import sys

_BLOCKS = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
"""(upper module dark, lower one dark) -> a character: light is printed, as terminals are dark."""
_QUIET = 2
"""Modules of light around the code."""


def qr_lines(address: str) -> list[str]:
    """The lines, two rows of modules each."""
    import segno  # 30 ms, which only a show that is open to other machines pays

    rows = [list(map(bool, row)) for row in segno.make(address, error="l", micro=False).matrix_iter(border=_QUIET)]
    if len(rows) % 2:
        rows.append([True] * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return ["".join(map(_BLOCKS.__getitem__, zip(upper, lower, strict=True))) for upper, lower in pairs]


def can_show() -> bool:
    """Whether stderr is a terminal that has the characters."""
    stream = sys.stderr
    if stream is None or not stream.isatty():
        return False
    try:
        "█▀▄".encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
