"""What was asked of the show and is not so, by parameter: shown beside its control on every surface.

Two kinds. A **refusal** is an event: a message without a meaning, a network that is missing. The parameter holds the
value that rules, so every surface snaps back, and the refusal is shown for ten seconds. A **lack** lasts: a parameter
keeps its value, and something that it names is not there yet, such as a picture or an input.

Threads: any thread may call anything; one lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import osc_schema
from osc_schema import Value
from streamvace.control.coercion import show
from streamvace.control.parameters import Parameters
from streamvace.system.clock import now_ns
from streamvace.system.console import in_one_line, one_line
from streamvace.telemetry.reporter import LONGEST_LINE, Reporter

SHOWN_S: Final = 10.0
"""As long as a line counts as recent at `/streamvace/status/error`."""

_LONGEST_VALUE: Final = 120
_FADE: Final = "/to"
"""Ends the addresses that fade a parameter; their refusals belong to the parameter."""


class Lack(NamedTuple):
    """asked: what the parameter names, as text. why: one line."""

    asked: str
    why: str


Lacks = Callable[[], Mapping[str, Lack]]
"""Reads what is missing now, by address. Must be cheap and not block."""


@dataclass(frozen=True)
class Refusal:
    """One message about a parameter.

    asked: what was asked for, as text. ruling: the value that rules, None for an action. why: one line. fix: a command
    that makes it possible, or empty. lasts: whether it is shown until it is over. number: counts refusals.
    """

    address: str
    asked: str
    ruling: Value | None
    why: str
    fix: str = ""
    lasts: bool = False
    number: int = 0

    def row(self) -> dict[str, object]:
        """For JSON."""
        return vars(self)

    def texts(self) -> tuple[str, ...]:
        """For OSC: address, asked, ruling, why, fix."""
        ruling = "" if self.ruling is None else _text(self.ruling)
        return self.address, self.asked, ruling, self.why, self.fix


class Refusals:
    """The newest refusal of each parameter, and what it lacks."""

    def __init__(self, parameters: Parameters, reporter: Reporter, clock: Callable[[], int] = now_ns) -> None:
        self._parameters = parameters
        self._reporter = reporter
        self._clock = clock
        self._lock = threading.Lock()
        self._refused: dict[str, tuple[Refusal, int]] = {}  # with the time; one for each address of the schema
        self._lacks: list[Lacks] = []
        self._lacked: dict[str, Refusal] = {}
        self._count = 0

    def note(self, address: str, asked: str, why: str, fix: str = "") -> Refusal | None:
        """A request is refused, which its sender and the terminal hear elsewhere. None for an unknown address."""
        address = address.removesuffix(_FADE)
        if address not in self._parameters.schema:
            return None
        ruling = self._parameters.snapshot().values.get(address)
        why = in_one_line(why.removeprefix(f"{address}: "))[:LONGEST_LINE]
        with self._lock:
            self._count += 1
            refusal = Refusal(address, asked[:_LONGEST_VALUE], ruling, why, fix, number=self._count)
            self._refused[address] = refusal, self._clock()
        return refusal

    def remark(self, address: str, why: str) -> None:
        """The value that a parameter holds has no effect, or not all of it has."""
        held = self._parameters.snapshot().values.get(address)
        if held is not None:
            self.note(address, _text(held), why)

    def refuse(self, kind: str, addresses: Iterable[str], asked: Value, error: Exception) -> None:
        """A value turned out to be impossible: report it, and take it back wherever it is still held.

        kind: of the report. addresses: the parameters that may hold `asked`.
        """
        why = one_line(error)
        self._reporter.report(kind, why)
        for address in addresses:
            self.take_back(address, asked, why, getattr(error, "fix", ""))

    def take_back(self, address: str, asked: Value, why: str, fix: str = "") -> None:
        """As `refuse`, for one parameter and for what was reported already."""
        if self._parameters.take_back(address, asked):
            self.note(address, _text(asked), why, fix)

    def watch(self, lacks: Lacks) -> None:
        """Show what `lacks` reads, for as long as it does."""
        with self._lock:
            self._lacks.append(lacks)

    def rows(self) -> dict[str, object]:
        """Every address that has or had a message, with the message, or None once it is over. For the page."""
        now = self._clock()
        lacks = {address: lack for read in tuple(self._lacks) for address, lack in read().items()}
        values = self._parameters.snapshot().values
        with self._lock:
            rows: dict[str, object] = dict.fromkeys([*self._refused, *self._lacked])
            for address, (refusal, at) in self._refused.items():
                if now - at < SHOWN_S * 1e9:
                    rows[address] = refusal.row()
            for address, lack in lacks.items():
                self._lacked[address] = Refusal(address, lack.asked, values.get(address), lack.why, lasts=True)
                rows[address] = self._lacked[address].row()
        return rows

    def newest(self) -> tuple[str, ...]:
        """The newest refusal as texts, for ten seconds; then nothing."""
        with self._lock:
            newest = max(self._refused.values(), key=lambda entry: entry[0].number, default=None)
        if newest is None or self._clock() - newest[1] >= SHOWN_S * 1e9:
            return ()
        return newest[0].texts()


def _text(value: Value) -> str:
    if isinstance(value, tuple):
        return " ".join(str(part) for part in osc_schema.flat(value))[:_LONGEST_VALUE]
    return value[:_LONGEST_VALUE] if isinstance(value, str) else show(value)
