"""The beat of an Ableton Link session, and how long a change waits for it.

Threads: the OSC thread joins, leaves and asks; any thread may call `figures`. Link keeps time on its own threads.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Final, Protocol

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command

BEATS: Final = {"beat": 1, "bar": 4}
"""Choice of `/streamvace/quantise` -> the grid of changes, in beats."""

_TEMPO: Final = 120.0
"""Beats a minute of a session that streamvace starts; peers that join may change it."""


class Session(Protocol):
    """The part of `aalink.Link` in use. beat: beats since the session began. tempo: beats a minute."""

    enabled: bool

    @property
    def beat(self) -> float: ...

    @property
    def tempo(self) -> float: ...

    @property
    def num_peers(self) -> int: ...


def open_link() -> Session:
    """A Link session that is not joined yet. Raises UserError if aalink is not installed."""
    try:
        import aalink  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        fix = install_command("link")
        raise UserError(f"Ableton Link needs the package aalink: {fix}", fix) from error

    async def create() -> Session:
        link: Session = aalink.Link(_TEMPO)
        return link

    # Link needs an event loop for callbacks. Nothing here registers one, so the loop need not run afterwards.
    return asyncio.new_event_loop().run_until_complete(create())


class BeatGate:
    """Computes how long a change must wait to be seen on the beat."""

    def __init__(
        self, open_session: Callable[[], Session] = open_link, look_ahead_s: Callable[[], float] = float
    ) -> None:
        """look_ahead_s: how many seconds early a change must be set to be seen on time."""
        self._open_session = open_session
        self._look_ahead_s = look_ahead_s
        self._session: Session | None = None
        self._beats = 0

    def follow(self, quantise: str) -> None:
        """Join the session for `beat` or `bar`, leave it for `off`. Raises UserError if aalink is not installed."""
        self._beats = BEATS.get(quantise, 0)
        if self._beats and self._session is None:
            self._session = self._open_session()
        if self._session is not None and self._session.enabled != bool(self._beats):
            self._session.enabled = bool(self._beats)

    @property
    def holding(self) -> bool:
        """Whether changes wait. Without peers in the session there is no music to wait for."""
        return bool(self._beats) and self._session is not None and self._session.num_peers > 0

    def next_beat(self) -> float:
        """The first beat, or first beat of a bar, on which a change set now can still be seen."""
        assert self._session is not None
        soonest = self._session.beat + self._look_ahead_s() * self._session.tempo / 60.0
        return math.ceil(soonest / self._beats) * float(self._beats) if self._beats else soonest

    def wait_s(self, beat: float) -> float:
        """Seconds until a change for this beat must be set; 0 when it is due or when nothing waits."""
        if not self.holding or self._session is None:
            return 0.0
        left_s = (beat - self._session.beat) * 60.0 / self._session.tempo
        if left_s > 2 * self._beats * 60.0 / self._session.tempo + self._look_ahead_s():
            return 0.0  # the session restarted its count of beats: do not wait for a beat that never comes
        return max(0.0, left_s - self._look_ahead_s())

    def figures(self) -> dict[str, float | int | str]:
        """For the status: beat, tempo and peers of the session, 0 outside a session."""
        session = self._session
        if session is None or not session.enabled:
            return {"beat": 0.0, "tempo": 0.0, "link_peers": 0}
        return {
            "beat": round(session.beat, 3),
            "tempo": round(session.tempo, 2),
            "link_peers": session.num_peers,
        }

    def close(self) -> None:
        """Leave the session. Nothing waits any more, although Link still counts its peers for a moment."""
        self._beats = 0
        if self._session is not None:
            self._session.enabled = False
