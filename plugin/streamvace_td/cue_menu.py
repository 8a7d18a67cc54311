"""The names of the cues that the process knows, as a menu beside every field that takes one. Main thread only."""

from __future__ import annotations

from collections.abc import Iterable

from streamvace_td.osc_packet import Message
from streamvace_td.sync import Outgoing
from streamvace_td.td_api import Component, par

LIST, NAME, PREFIX = "/streamvace/cue/list", "/streamvace/cue/name", "/streamvace/cue/"
ASK_S = 0.5
"""After a cue was stored, deleted or recalled: how long until the list is asked for."""


class CueMenu:
    """Asks for the list and puts it up. Times are seconds."""

    def __init__(self, owner: Component, fields: Iterable[str]) -> None:
        """fields: the parameters, of style StrMenu, that get the menu."""
        self._owner, self._fields = owner, tuple(fields)
        self._coming: list[str] = []
        self._shown: list[str] = []
        self._ask_at: float | None = None

    def ask(self, now: float) -> None:
        """Something about the cues has changed, or may have."""
        self._ask_at = now + ASK_S

    def questions(self, now: float) -> list[Outgoing]:
        """What is to be asked with this frame."""
        if self._ask_at is None or now < self._ask_at:
            return []
        self._ask_at, self._coming = None, []
        return [(LIST, ())]

    def heard(self, message: Message) -> None:
        """One name of the answer: NUMBER NAME."""
        if message.address == NAME and len(message.arguments) == 2:
            self._coming.append(str(message.arguments[1]))

    def show(self) -> None:
        """At the end of a frame: put up what has come, if it is news."""
        if self._coming and self._coming != self._shown:
            self._shown = list(self._coming)
            for field in self._fields:
                target = par(self._owner, field)
                target.menuNames = self._shown
                target.menuLabels = self._shown
