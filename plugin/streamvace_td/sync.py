"""Synchronizes parameter values in both directions without loops. No I/O, no TouchDesigner.

`known` is the value that both sides held last. A change to the known value is an echo and is ignored; this prevents
loops. A parameter that changes several times within a frame is sent once, at the end of the frame. The process does
not send our own changes back, so some time after the last change of a parameter it is asked for its value. Until then,
its messages about this parameter may be older than our change and are not shown. The answer is shown; it corrects
values that were lost, clamped, or overwritten by somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from osc_schema import Parameter
from streamvace_td.osc_packet import Arguments
from streamvace_td.values import from_osc

SETTLE_S = 0.5
"""Time without a change after which the process is asked for its value; longer than a round trip."""

SYNC_S = 10.0
"""Interval of the request for all values, because UDP may lose feedback."""

MOST_QUESTIONS = 8
"""Parameters requested one by one; if there are more, all values are requested at once."""

SYNC = "/streamvace/sync"

Outgoing = tuple[str, Arguments]


class Sync:
    """The state of one connection. Belongs to the main thread; times are seconds."""

    def __init__(self, rows: Iterable[Parameter]) -> None:
        self._rows = {row.address: row for row in rows}
        self._known: dict[str, Arguments] = {}
        self._wanted: dict[str, Arguments] = {}
        self._fired: dict[str, Arguments] = {}
        self._settle: dict[str, float] = {}
        self._asked: set[str] = set()
        self._next_sync = 0.0
        self.refused = 0
        """Number of messages about known parameters with invalid arguments."""

    def begin(self, values: Mapping[str, Arguments], now: float) -> None:
        """The connection is established: send all of `values`, then request all values."""
        self.end()
        self._wanted.update(values)
        self._next_sync = now

    def end(self) -> None:
        """The connection is lost: forget all values and pending messages."""
        for state in (self._known, self._wanted, self._fired, self._settle, self._asked):
            state.clear()

    def local(self, address: str, arguments: Arguments) -> None:
        """A parameter changed in TouchDesigner. Only the last value of a frame is sent."""
        if self._known.get(address) == arguments:
            self._wanted.pop(address, None)
        else:
            self._wanted[address] = arguments

    def fire(self, address: str, arguments: Arguments = ()) -> None:
        """A trigger was pressed. It is sent once per frame; the process also applies it once per chunk boundary."""
        self._fired[address] = arguments

    def remote(self, address: str, arguments: Arguments) -> Arguments | None:
        """The process reports a value. Returns the value to show.

        None: it is not a parameter, its arguments are invalid, or it is being changed in TouchDesigner, which wins.
        """
        row = self._rows.get(address)
        if row is None or row.type == "trigger":
            return None
        value = from_osc(row, arguments)
        if value is None:
            self.refused += 1
            return None
        if address in self._wanted or (address in self._settle and address not in self._asked):
            return None
        self._known[address] = value
        self._settle.pop(address, None)
        self._asked.discard(address)
        return value

    def outgoing(self, now: float) -> list[Outgoing]:
        """The messages to send with this frame: at most one per parameter, then triggers, then requests."""
        messages: list[Outgoing] = list(self._wanted.items())
        self._known.update(self._wanted)
        self._settle.update(dict.fromkeys(self._wanted, now + SETTLE_S))
        self._asked.difference_update(self._wanted)
        self._wanted.clear()
        if self._fired:
            messages += self._fired.items()
            self._next_sync = min(self._next_sync, now + SETTLE_S)  # a cue changes others; their feedback may be lost
            self._fired.clear()
        return messages + self._questions(now)

    def _questions(self, now: float) -> list[Outgoing]:
        due = [address for address, when in self._settle.items() if when <= now]
        for address in due:
            self._settle[address] = now + SETTLE_S  # requested again if the answer is lost
        self._asked.update(due)
        if now >= self._next_sync or len(due) > MOST_QUESTIONS:
            self._next_sync = now + SYNC_S
            self._asked.update(self._settle)
            return [(SYNC, ())]
        return [(address, ("?",)) for address in due]
