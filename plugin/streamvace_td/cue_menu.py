"""The process's cue names, as a menu of every field that takes one. Main thread only."""

from __future__ import annotations

from collections.abc import Iterable

from streamvace_td.osc_packet import Message
from streamvace_td.sync import Outgoing
from streamvace_td.td_api import Component, par

LIST, NAME, PREFIX = "/streamvace/cue/list", "/streamvace/cue/name", "/streamvace/cue/"
ASK_S = 0.5
"""Delay between a change of the cues and the request for their names."""


class CueMenu:
    """Requests the list and shows it. Times are seconds."""

    def __init__(self, owner: Component, fields: Iterable[str]) -> None:
        """fields: the parameters of style StrMenu that get the menu."""
        self._owner, self._fields = owner, tuple(fields)
        self._coming: list[str] = []
        self._shown: list[str] = []
        self._ask_at: float | None = None

    def ask(self, now: float) -> None:
        """Request the list soon, because it may have changed."""
        self._ask_at = now + ASK_S

    def questions(self, now: float) -> list[Outgoing]:
        """The messages to send with this frame."""
        if self._ask_at is None or now < self._ask_at:
            return []
        self._ask_at, self._coming = None, []
        return [(LIST, ())]

    def heard(self, message: Message) -> None:
        """Take one name of the answer, whose arguments are NUMBER NAME."""
        if message.address == NAME and len(message.arguments) == 2:
            self._coming.append(str(message.arguments[1]))

    def show(self) -> None:
        """At the end of a frame: show the names if they have changed."""
        if self._coming and self._coming != self._shown:
            self._shown = list(self._coming)
            for field in self._fields:
                target = par(self._owner, field)
                target.menuNames = self._shown
                target.menuLabels = self._shown
