"""The beat of an Ableton Link session, and what waits for it.

Threads: the OSC thread joins, leaves and asks; `figures` may be read by anyone. Link itself keeps time on threads of
its own.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Final, Protocol

from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command

BEATS: Final = {"beat": 1, "bar": 4}
"""Beats from one moment that changes may fall on to the next, by the choices of `/streamvace/quantise`."""

_TEMPO: Final = 120.0
"""Of a session that we are the first in; whoever joins later brings theirs."""


class Session(Protocol):
    """The part of `aalink.Link` that is used. beat: since the session began. tempo: beats a minute."""

    enabled: bool

    @property
    def beat(self) -> float: ...

    @property
    def tempo(self) -> float: ...

    @property
    def num_peers(self) -> int: ...


def open_link() -> Session:
    """A Link session, not joined yet. Raises UserError where aalink is not installed."""
    try:
        import aalink  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise UserError(f"Ableton Link needs the package aalink: {install_command('link')}") from error

    async def made() -> Session:
        link: Session = aalink.Link(_TEMPO)
        return link

    # It wants a loop for callbacks. We only ask it what time it is, so the loop never has anything to run.
    return asyncio.new_event_loop().run_until_complete(made())


class BeatGate:
    """Says until when a change has to wait so that it is seen on the beat."""

    def __init__(
        self, open_session: Callable[[], Session] = open_link, look_ahead_s: Callable[[], float] = float
    ) -> None:
        """look_ahead_s: how early a change must be set to be seen on time."""
        self._open_session = open_session
        self._look_ahead_s = look_ahead_s
        self._session: Session | None = None
        self._beats = 0

    def follow(self, quantise: str) -> None:
        """quantise: off, beat or bar. Joins the session, or leaves it with off. Raises UserError where it cannot."""
        self._beats = BEATS.get(quantise, 0)
        if self._beats and self._session is None:
            self._session = self._open_session()
        if self._session is not None and self._session.enabled != bool(self._beats):
            self._session.enabled = bool(self._beats)

    @property
    def holding(self) -> bool:
        """Whether changes wait at all: in a session with nobody else there is no music to wait for."""
        return bool(self._beats) and self._session is not None and self._session.num_peers > 0

    def next_beat(self) -> float:
        """The first beat, or beat one of a bar, that a change set now can still be seen on."""
        assert self._session is not None
        soonest = self._session.beat + self._look_ahead_s() * self._session.tempo / 60.0
        return math.ceil(soonest / self._beats) * float(self._beats) if self._beats else soonest

    def wait_s(self, beat: float) -> float:
        """Seconds until what is to be seen on this beat must be set; 0 when that is now, or when nothing waits."""
        if not self.holding or self._session is None:
            return 0.0
        left_s = (beat - self._session.beat) * 60.0 / self._session.tempo
        if left_s > 2 * self._beats * 60.0 / self._session.tempo + self._look_ahead_s():
            return 0.0  # the session's beats were counted anew under us: nothing may wait for ever
        return max(0.0, left_s - self._look_ahead_s())

    def figures(self) -> dict[str, float | int | str]:
        """For the status: the session's beat and tempo, 0 outside of one."""
        session = self._session
        joined = session is not None and session.enabled
        return {
            "beat": round(session.beat, 3) if session is not None and joined else 0.0,
            "tempo": round(session.tempo, 2) if session is not None and joined else 0.0,
            "link_peers": session.num_peers if session is not None and joined else 0,
        }

    def close(self) -> None:
        """Leave the session; nothing waits from here on, though Link counts its peers a moment longer."""
        self._beats = 0
        if self._session is not None:
            self._session.enabled = False
