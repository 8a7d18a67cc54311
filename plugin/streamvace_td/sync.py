"""Which parameter values have to travel, and which have arrived: both ways, without loops. No I/O, no TouchDesigner.

`known` is what both sides held last. A change to a value that is already known is an echo and goes no further: that is
all there is to loops. What is changed here within a frame is sent once, at its end, with its last value. The process
does not repeat our own changes to us, so some time after the last change of a parameter it is asked what it holds.
Until then, what it says about this parameter may be older than our change and is not shown; the answer is, and mends
whatever was lost, clamped, or overtaken by somebody else's change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from osc_schema import Parameter
from streamvace_td.osc_packet import Arguments
from streamvace_td.values import from_osc

SETTLE_S = 0.5
"""Seconds of quiet after which the process is asked what it holds: longer than a round trip, shorter than a doubt."""

SYNC_S = 10.0
"""Everything is asked for this often: feedback over UDP may have got lost."""

MOST_QUESTIONS = 8
"""Parameters asked for one by one; beyond that everything is asked for at once."""

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
        """Messages about our rows whose arguments were none of their values."""

    def begin(self, values: Mapping[str, Arguments], now: float) -> None:
        """A connection has come. `values` go out first, all of them; then everything is asked for."""
        self.end()
        self._wanted.update(values)
        self._next_sync = now

    def end(self) -> None:
        """It has gone: nothing is known and nothing waits."""
        for state in (self._known, self._wanted, self._fired, self._settle, self._asked):
            state.clear()

    def local(self, address: str, arguments: Arguments) -> None:
        """Somebody turned it in TouchDesigner. Only the last value of a frame is sent."""
        if self._known.get(address) == arguments:
            self._wanted.pop(address, None)
        else:
            self._wanted[address] = arguments

    def fire(self, address: str, arguments: Arguments = ()) -> None:
        """A trigger was pressed: once a frame is enough, the process takes no two at one chunk boundary either."""
        self._fired[address] = arguments

    def remote(self, address: str, arguments: Arguments) -> Arguments | None:
        """The process says what it holds. Returns the value to show, or None where there is nothing to show: no value
        of ours, or one that is being changed here just now, where the hand on the knob wins."""
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
        """What is to be sent with this frame: at most one message a parameter, then presses, then questions."""
        messages: list[Outgoing] = list(self._wanted.items())
        self._known.update(self._wanted)
        self._settle.update(dict.fromkeys(self._wanted, now + SETTLE_S))
        self._asked.difference_update(self._wanted)
        self._wanted.clear()
        for message in self._fired.items():
            messages.append(message)
            self._next_sync = min(self._next_sync, now + SETTLE_S)  # a cue changes others; their news may be lost
        self._fired.clear()
        return messages + self._questions(now)

    def _questions(self, now: float) -> list[Outgoing]:
        due = [address for address, when in self._settle.items() if when <= now]
        for address in due:
            self._settle[address] = now + SETTLE_S  # asked again if the answer does not come either
        self._asked.update(due)
        if now >= self._next_sync or len(due) > MOST_QUESTIONS:
            self._next_sync = now + SYNC_S
            self._asked.update(self._settle)
            return [(SYNC, ())]
        return [(address, ("?",)) for address in due]
