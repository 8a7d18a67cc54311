"""Reports faults to people: limited for each kind, for each host and in all, each line with its count.

Nothing is dropped without a word: a line that may not be printed yet is held, the newest of its kind replaces it, and
the number of both is printed with it. Kinds and hosts are counted in bounded tables.

Threads: any thread reports, the main thread flushes; one lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from streamvace.system.allowance import Allowance, Allowances
from streamvace.system.clock import now_ns
from streamvace.system.console import in_one_line, say

MOST_KINDS = 64
"""Kinds told apart, of the show's own faults and of each sender's messages; further ones share one line."""
MOST_HOSTS = 32
"""Hosts with an allowance of their own; further ones share one."""
LONGEST_LINE = 500
"""Characters; the limit of `/streamvace/status/error`."""
OTHER = "others"
"""The kind and the host that stand for all beyond the limits."""

OWN_LINES = (20, 5.0)
"""Lines about the show's own faults: at once, and a second. The faults of a show's start fit."""
FOREIGN_LINES = (10, 2.0)
"""Lines about what others send, in all: 1 kB a second at most, and never in place of the show's own faults."""
HOST_LINES = (5, 0.5)
"""Lines about what one host sends, so that one cannot use up the lines of another."""
OWN_QUIET_S = 1.0
FOREIGN_QUIET_S = 60.0
"""The longest pause between two lines of a kind. It begins with a second and doubles while the kind goes on: a
controller with one wrong fader sends all evening."""

_RECENT_S = 10.0
"""How long a line counts as recent: long enough to be read on a controller between two scenes."""


@dataclass
class _Kind:
    kind: str
    host: str
    line: str = ""
    unsaid: int = 0
    quiet_s: float = 1.0
    quiet_until: float = 0.0


class _Lines:
    """The lines of one origin: held by kind and host, and let out within the allowances."""

    def __init__(self, in_all: tuple[float, float], a_host: tuple[float, float], longest_quiet_s: float) -> None:
        self._in_all = Allowance(*in_all)
        self._hosts = Allowances(*a_host, MOST_HOSTS)
        self._longest_quiet_s = longest_quiet_s
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def add(self, kind: str, line: str, host: str, now: float) -> None:
        entry = self._kinds.get((kind, host))
        if entry is None:
            entry = self._new(kind, host, now)
        if entry.kind == OTHER:
            line = f"{kind}: {line}"
        if now > entry.quiet_until + entry.quiet_s:
            entry.quiet_s = 1.0
        entry.line, entry.unsaid = line, entry.unsaid + 1

    def due(self, now: float) -> list[str]:
        """The lines that may be printed now. A kind whose line is printed queues up behind all others."""
        lines = []
        for key, entry in tuple(self._kinds.items()):
            if not entry.unsaid or now < entry.quiet_until:
                continue
            host = self._hosts.of(entry.host, now)
            if host.left(now) < 1 or not self._in_all.take(now):
                continue
            host.take(now)
            if entry.unsaid > 1:
                lines.append(f"{entry.kind}: {entry.line} ({entry.unsaid} times)")
                entry.quiet_s = min(2 * entry.quiet_s, self._longest_quiet_s)
            else:
                lines.append(f"{entry.kind}: {entry.line}")
            entry.unsaid, entry.quiet_until = 0, now + entry.quiet_s
            self._kinds[key] = self._kinds.pop(key)
        return lines

    def _new(self, kind: str, host: str, now: float) -> _Kind:
        if len(self._kinds) >= MOST_KINDS:
            over = [key for key, entry in self._kinds.items() if not entry.unsaid and now >= entry.quiet_until]
            for key in over:
                del self._kinds[key]
        if len(self._kinds) >= MOST_KINDS:
            kind = host = OTHER
        return self._kinds.setdefault((kind, host), _Kind(kind, host))


class _Newest:
    """A line that counts as news for a while."""

    def __init__(self) -> None:
        self._line, self._until = "", 0.0

    def set(self, line: str, now: float) -> None:
        self._line, self._until = line, now + _RECENT_S

    def read(self, now: float) -> str:
        return self._line if now < self._until else ""


class Reporter:
    """Counts every fault, prints it within the limits, and remembers the newest line.

    What others send cannot silence the show's own faults: both have allowances of their own.
    """

    def __init__(self, write: Callable[[str], None] = say, clock: Callable[[], int] = now_ns) -> None:
        self._write = write
        self._clock = clock
        self._lock = threading.Lock()
        self._own = _Lines(OWN_LINES, OWN_LINES, OWN_QUIET_S)
        self._foreign = _Lines(FOREIGN_LINES, HOST_LINES, FOREIGN_QUIET_S)
        self._totals: dict[str, int] = {}
        self._newest, self._complaint = _Newest(), _Newest()

    def recent(self) -> str:
        """The newest fault of the show, for ten seconds; after that an empty string."""
        with self._lock:
            return self._newest.read(self._now())

    def complaint(self) -> str:
        """The newest complaint about what others send, for ten seconds; after that an empty string."""
        with self._lock:
            return self._complaint.read(self._now())

    def report(self, kind: str, line: str) -> None:
        """Count a fault of the show and print its line, now or with a later `flush`."""
        line = in_one_line(line)[:LONGEST_LINE]
        with self._lock:
            now = self._now()
            self._count(kind)
            self._own.add(kind, line, "", now)
            self._newest.set(f"{kind}: {line}", now)
            lines = self._own.due(now)
        self._print(lines)

    def announce(self, line: str) -> None:
        """Make a line that is printed elsewhere the newest fault, in one line already: a warning of the log."""
        with self._lock:
            self._newest.set(line, self._now())

    def complain(self, kind: str, line: str, host: str) -> None:
        """Count a message that could not be used as it is, and print the line with a later `flush`.

        host: who sent it. Never prints on the caller's thread: a terminal that stands still must not stop a server.
        """
        line = self._note(kind, line, host)
        with self._lock:
            self._complaint.set(line, self._now())

    def note(self, kind: str, line: str, host: str) -> None:
        """As `complain`, for what nobody has to fix: it is printed, but is no news for a performer."""
        self._note(kind, line, host)

    def flush(self) -> None:
        """Print the lines that were held back and may be printed now."""
        with self._lock:
            now = self._now()
            lines = self._own.due(now) + self._foreign.due(now)
        self._print(lines)

    def counts(self) -> dict[str, int]:
        """Number of reports of each kind since the start; those beyond MOST_KINDS together."""
        with self._lock:
            return dict(self._totals)

    def _note(self, kind: str, line: str, host: str) -> str:
        line = in_one_line(line)[:LONGEST_LINE]
        with self._lock:
            self._count(kind)
            self._foreign.add(kind, line, host, self._now())
        return line

    def _now(self) -> float:
        return self._clock() / 1e9

    def _count(self, kind: str) -> None:
        if kind not in self._totals and len(self._totals) >= MOST_KINDS:
            kind = OTHER
        self._totals[kind] = self._totals.get(kind, 0) + 1

    def _print(self, lines: list[str]) -> None:
        for line in lines:
            self._write(line)
