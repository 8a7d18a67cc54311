"""What the page is told besides pictures: one row for each kind of JSON.

A message to the page is `{name: value, ...}`. A kind is sent when its value has changed since this page was last told.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from streamvace.system.clock import now_ns

TICK_S = 0.1
"""Between two looks for news: at ten a second, faders of other surfaces move smoothly."""
CALM_S = 0.5
"""Between two readings of figures that people read: faster, they only flicker."""


def whole(before: object, now: object) -> object | None:
    """The whole value if it has changed, else None."""
    return now if now != before else None


def entries(before: object, now: object) -> object | None:
    """The changed entries of a mapping, None without changes. Keys never disappear."""
    known: Mapping[object, object] = before if isinstance(before, Mapping) else {}
    changed = {key: value for key, value in _mapping(now).items() if known.get(key) != value}
    return changed or None


def later(before: object, now: object) -> object | None:
    """The rows whose `number` is greater than all before, None without any. Rows are in the order of their numbers."""
    rows = now if isinstance(now, list) else []
    last = before[-1]["number"] if isinstance(before, list) and before else 0
    return [row for row in rows if row["number"] > last] or None


class Beat(NamedTuple):
    """Where the show's beat is. beat: since beat 0. tempo: beats a minute, 0 without one. running: whether it counts.
    at: when that was, in seconds."""

    beat: float
    tempo: float
    running: bool
    at: float


OFF_BEAT = 0.02
"""Share of a beat by which a page may be wrong."""
AGAIN_S = 4.0
"""After this a page is told where the beat is in any case: its own count is only as exact as the tempo it was told."""


def leaps(before: object, now: object) -> object | None:
    """The beat if it is not where it was on its way to, and every four seconds, else None."""
    if not isinstance(before, Beat) or not isinstance(now, Beat) or before[1:3] != now[1:3]:
        return now
    passed = (now.at - before.at) * now.tempo / 60 if now.running else 0.0
    again = now.running and now.at // AGAIN_S != before.at // AGAIN_S
    return now if again or abs(before.beat + passed - now.beat) > OFF_BEAT else None


class Topic:
    """One kind of news: `{name: value}`. Belongs to the web server's event loop.

    It is read at most once per interval for all pages together.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[], object],
        interval_s: float = TICK_S,
        news: Callable[[object, object], object | None] = whole,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        """read: the current value, which JSON can carry; must not block. news: (told before, value now) -> what to
        send, or None."""
        self.name = name
        self.news = news
        self._read = read
        self._interval_ns = round(interval_s * 1e9)
        self._clock = clock
        self._value: object = None
        self._due_ns: int | None = None

    def value(self) -> object:
        """The value, not older than the interval. Always the same object while nothing has changed."""
        now = self._clock()
        if self._due_ns is None or now >= self._due_ns:
            value = self._read()
            self._due_ns = now + self._interval_ns
            if value != self._value:
                self._value = value
        return self._value


def message(news: Mapping[str, object]) -> str:
    """The text of a message. NaN and infinity become null: JSON has neither, and browsers refuse Python's spelling."""
    return json.dumps(finite(news))


def finite(value: object) -> object:
    """The value with None for every NaN and infinity in it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


def _mapping(value: object) -> Mapping[object, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"news by entry are those of a mapping, not of {value!r}")
    return value
