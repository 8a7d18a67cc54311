"""The beat of an Ableton Link session. Link keeps time on its own threads; any thread may call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from streamvace.control.beat_line import BeatLine
from streamvace.system.errors import UserError
from streamvace.system.fix_hints import install_command

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
    """A Link session that is not joined yet. Raises UserError if aalink cannot be loaded."""
    try:
        import aalink  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        fix = install_command("link")
        raise UserError(f"Ableton Link needs the package aalink ({error}): {fix}", fix) from error

    async def create() -> Session:
        link: Session = aalink.Link(_TEMPO)
        return link

    # Link needs an event loop for callbacks. Nothing here registers one, so the loop need not run afterwards.
    return asyncio.new_event_loop().run_until_complete(create())


class LinkClock:
    """A session that is joined while it is wanted."""

    def __init__(self, open_session: Callable[[], Session] = open_link) -> None:
        self._open_session = open_session
        self._session: Session | None = None

    def join(self) -> None:
        """Be in the session. Raises UserError if aalink cannot be loaded."""
        if self._session is None:
            self._session = self._open_session()
        if not self._session.enabled:
            self._session.enabled = True

    def leave(self) -> None:
        """Be out of the session, although Link still counts its peers for a moment."""
        if self._session is not None and self._session.enabled:
            self._session.enabled = False

    @property
    def peers(self) -> int:
        """Other programs in the session; 0 outside it."""
        return self._session.num_peers if self._session is not None and self._session.enabled else 0

    def reading(self, now: float) -> BeatLine | None:
        """What the session says at this moment, in seconds.

        None without other programs in it: then there is no music to follow.
        """
        if self._session is None or not self.peers:
            return None
        return BeatLine(now, self._session.beat, self._session.tempo)
