"""Reports faults to people: at most one line a second for each kind, with a count.

Threads: any thread reports, the main thread flushes; one lock.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError

_QUIET_NS = 1_000_000_000

_RECENT_NS = 10_000_000_000
"""How long a line counts as recent: long enough to be read on a controller between two scenes."""


def say(line: str) -> None:
    """Print one line on stderr. Characters that its encoding lacks are escaped; a closed stderr is ignored."""
    stream = sys.stderr
    encoding = getattr(stream, "encoding", None) or "ascii"
    with suppress(OSError, ValueError):  # without a terminal nobody reads the line, and the show must shut down cleanly
        print(line.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


@dataclass
class _Kind:
    total: int = 0
    unsaid: int = 0
    line: str = ""
    quiet_until_ns: int = 0


class Reporter:
    """Counts every fault, prints each kind at most once a second, and remembers the newest line."""

    def __init__(self, write: Callable[[str], None] = say, clock: Callable[[], int] = now_ns) -> None:
        self._write = write
        self._clock = clock
        self._kinds: dict[str, _Kind] = {}
        self._lock = threading.Lock()
        self._newest = ""
        self._newest_ns = 0

    def recent(self) -> str:
        """The last line reported, for ten seconds; after that an empty string."""
        with self._lock:
            return self._newest if self._clock() - self._newest_ns < _RECENT_NS else ""

    def report(self, kind: str, line: str) -> None:
        """Count a fault of this kind and print its line, now or with a later `flush`."""
        with self._lock:
            entry = self._kinds.setdefault(kind, _Kind())
            entry.total += 1
            entry.unsaid += 1
            entry.line = " ".join(line.split())
            self._newest, self._newest_ns = f"{kind}: {entry.line}", self._clock()
        self.flush()

    def flush(self) -> None:
        """Print the lines that were held back and whose second has passed."""
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
        """Number of faults of each kind since the start."""
        with self._lock:
            return {kind: entry.total for kind, entry in self._kinds.items()}


def one_line(error: BaseException) -> str:
    """An exception as one line: type and message, at most 400 characters. A UserError: its whole message."""
    text = " ".join(str(error).split())
    if isinstance(error, UserError):
        return text
    return f"{type(error).__name__}: {text}"[:400] if text else type(error).__name__
