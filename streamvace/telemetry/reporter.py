"""Faults for people: at most one line a second for each kind, with how often it happened. Never log spam.

Threads: any thread reports, the main thread flushes; one lock.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from streamvace.system.clock import now_ns

_QUIET_NS = 1_000_000_000

_RECENT_NS = 10_000_000_000
"""How long a line is news: long enough to be read from a controller between two scenes."""


def say(line: str) -> None:
    """One line on stderr that no console can break: what its encoding cannot show is escaped, and it may be gone."""
    stream = sys.stderr
    encoding = getattr(stream, "encoding", None) or "ascii"
    with suppress(OSError, ValueError):  # the terminal is gone: there is nobody to tell, and the show must end in order
        print(line.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


@dataclass
class _Kind:
    total: int = 0
    unsaid: int = 0
    line: str = ""
    quiet_until_ns: int = 0


class Reporter:
    """Counts every fault, says each kind at most once a second, and remembers the newest line of all."""

    def __init__(self, write: Callable[[str], None] = say, clock: Callable[[], int] = now_ns) -> None:
        self._write = write
        self._clock = clock
        self._kinds: dict[str, _Kind] = {}
        self._lock = threading.Lock()
        self._newest = ""
        self._newest_ns = 0

    def recent(self) -> str:
        """The last line reported while it is news; after that an empty string."""
        with self._lock:
            return self._newest if self._clock() - self._newest_ns < _RECENT_NS else ""

    def report(self, kind: str, line: str) -> None:
        """A fault of this kind happened. Never raises on account of the line."""
        with self._lock:
            entry = self._kinds.setdefault(kind, _Kind())
            entry.total += 1
            entry.unsaid += 1
            entry.line = " ".join(line.split())
            self._newest, self._newest_ns = f"{kind}: {entry.line}", self._clock()
        self.flush()

    def flush(self) -> None:
        """Say what waited for its second to pass."""
        now = self._clock()
        lines: list[str] = []
        with self._lock:
            for kind, entry in self._kinds.items():
                if entry.unsaid and now >= entry.quiet_until_ns:
                    times = f" ({entry.unsaid} times)" if entry.unsaid > 1 else ""
                    lines.append(f"{kind}: {entry.line}{times}")
                    entry.unsaid, entry.quiet_until_ns = 0, now + _QUIET_NS
        for line in lines:
            self._write(line)

    def counts(self) -> dict[str, int]:
        """How often each kind happened since the start."""
        with self._lock:
            return {kind: entry.total for kind, entry in self._kinds.items()}


def one_line(error: BaseException) -> str:
    """What to say about an exception: its type and its first words, on one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:400] if text else type(error).__name__
