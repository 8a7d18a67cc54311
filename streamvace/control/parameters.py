"""The parameters of the running show: one validated store that every surface writes to and the director reads from.

OSC, the web panel, TouchDesigner and the command line all set values here and nowhere else; the generator side only
ever sees a `Snapshot`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import osc_schema
from osc_schema import Parameter, Value, Weighted
from streamvace.control.coercion import Coerced, Status, coerce
from streamvace.control.fades import Fade, Move
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError

RESET = "/streamvace/reset"
PROMPT = "/streamvace/prompt"
PROMPTS = "/streamvace/prompts"

FADE_WRITER = "fade"
"""Who writes the values of a fade: nobody that feedback could leave out, so everyone hears them."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """One immutable, validated set of parameters.

    version: counts up by one with every change; two snapshots of one store with the same version are equal.
    values: what every writable parameter holds, triggers left out.
    changed_ns: when each address last changed (triggers: last fired, absent before), on the clock `now_ns`.
    fired: how often each trigger has fired.
    generation: how often `/streamvace/reset` has fired. After it goes up, nothing older is shown.
    prompt_fade: how the newest prompt is to be taken on; None leaves it to the parameters of the transition.
    """

    version: int
    values: Mapping[str, Value]
    changed_ns: Mapping[str, int]
    fired: Mapping[str, int]
    generation: int
    prompt_fade: Fade | None = None

    def __getitem__(self, address: str) -> Value:
        return self.values[address]

    def number(self, address: str) -> float:
        """A float or int parameter as a float. Raises TypeError for anything else: a bug, not bad input."""
        value = self.values[address]
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise TypeError(f"{address} holds {value!r}, no number")
        return float(value)

    def integer(self, address: str) -> int:
        """An int parameter. Raises TypeError for anything else."""
        value = self.values[address]
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{address} holds {value!r}, no int")
        return value

    def flag(self, address: str) -> bool:
        """A bool parameter. Raises TypeError for anything else."""
        value = self.values[address]
        if not isinstance(value, bool):
            raise TypeError(f"{address} holds {value!r}, no bool")
        return value

    def text(self, address: str) -> str:
        """A string or choice parameter. Raises TypeError for anything else."""
        value = self.values[address]
        if not isinstance(value, str):
            raise TypeError(f"{address} holds {value!r}, no string")
        return value

    def texts(self, address: str) -> tuple[str, ...]:
        """The texts of a strings or weighted parameter, without weights. Raises TypeError for anything else."""
        value = self.values[address]
        if not isinstance(value, tuple):
            raise TypeError(f"{address} holds {value!r}, no list")
        return tuple(item if isinstance(item, str) else item[0] for item in value)

    def weighted(self, address: str) -> Weighted:
        """A weighted parameter as (text, weight) pairs; of a strings parameter, all weights are 1.

        Raises TypeError for anything else.
        """
        value = self.values[address]
        if not isinstance(value, tuple):
            raise TypeError(f"{address} holds {value!r}, no list")
        return tuple((item, 1.0) if isinstance(item, str) else item for item in value)


@dataclass(frozen=True)
class Change:
    """A wish: set `address` from `arguments`, as `writer` (any name; feedback goes to everyone else).

    fade: take so long over it; None is at once, and ends a fade that is on its way there.
    """

    address: str
    arguments: tuple[object, ...]
    writer: str
    fade: Fade | None = None


@dataclass(frozen=True)
class Result:
    """What became of a wish.

    status: set, unchanged (it held that value already), clamped, refused, or ignored (a trigger's button let go).
    value: what the parameter holds now; None for triggers and unknown addresses.
    line: for clamped and refused, one line for the user with what came and what is allowed; else empty.
    """

    address: str
    status: Status
    value: Value | None
    line: str = ""


Edit = Callable[[Mapping[str, Value], Value], Mapping[str, Value]]
"""What a trigger does to other parameters: from the values of the moment and its argument (True without one) to the
values to set. Raises UserError to refuse. Runs under the store's lock: quick, and without calling the store."""

Listener = Callable[[Snapshot, Mapping[str, str]], None]
"""Called after a change with the new snapshot and, for each changed address, who wrote it."""


class Parameters:
    """The store. Every method may be called from any thread; none blocks for longer than a dictionary copy."""

    def __init__(
        self,
        overrides: Mapping[str, Value] | None = None,
        *,
        schema: Iterable[Parameter] | None = None,
        edits: Mapping[str, Edit] = MappingProxyType({}),
        clock: Callable[[], int] = now_ns,
    ) -> None:
        """Start from the schema's defaults, then `overrides` by address. edits: of triggers, by address.

        Unlike a live message, an override that is out of range or unknown raises UserError: at the start there is time
        to mend it.
        """
        self.schema = {row.address: row for row in (osc_schema.load() if schema is None else schema)}
        self.listener_errors = 0
        self._edits = edits
        self._clock = clock
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()
        writable = [row for row in self.schema.values() if row.access == "write"]
        self._values: dict[str, Value] = {row.address: row.default for row in writable if row.default is not None}
        for address, value in (overrides or {}).items():
            checked = self.check(address, osc_schema.flat(value))
            if checked.status != "set" or address not in self._values or checked.value is None:
                raise UserError(checked.line or f"{address}: is an action and holds no value, got {value!r}")
            self._values[address] = checked.value
        born = clock()
        self._changed_ns = dict.fromkeys(self._values, born)
        self._moves: dict[str, Move] = {}
        self._prompt_fade: Fade | None = None
        self._fired = {row.address: 0 for row in writable if row.type == "trigger"}
        self._snapshot = self._freeze(version=0)

    def snapshot(self) -> Snapshot:
        """The newest values. Cheap: the same object until something changes."""
        return self._snapshot

    def check(self, address: str, arguments: tuple[object, ...]) -> Coerced:
        """What these arguments would do, without doing it. Never raises."""
        row = self.schema.get(address)
        if row is None:
            return Coerced("refused", None, f"{address[:80]!r}: there is no such parameter")
        return coerce(row, arguments)

    def set(self, address: str, arguments: tuple[object, ...], writer: str) -> Result:
        """Set one parameter, or fire one trigger. Never raises; bad input is refused in the Result."""
        return self.apply_bundle([Change(address, arguments, writer)])[0]

    def apply_bundle(self, changes: Iterable[Change]) -> tuple[Result, ...]:
        """Apply changes together: they appear in one snapshot, under one version, or not at all to a reader between.

        A refused change does not hold up the others: one bad fader must not silence a whole scene. Later changes of
        an address win. Never raises for bad input; returns a Result for each change, in order.
        """
        wishes = [(change, self.check(change.address, change.arguments)) for change in changes]
        changed: dict[str, str] = {}
        results = []
        with self._lock:
            now = self._clock()
            for change, checked in wishes:
                results.append(self._apply(change, checked, changed, now))
            self._settle_prompt(wishes, changed, now)
            if changed:
                self._snapshot = self._freeze(self._snapshot.version + 1)
            snapshot, listeners = self._snapshot, self._listeners
        if changed:
            self._tell(listeners, snapshot, changed)
        return tuple(results)

    def advance(self) -> Snapshot:
        """Bring everything that is on its way to where it should be by now. Called at chunk boundaries.

        What changes is a change like any other, one version for all of it, written by FADE_WRITER.
        """
        changed: dict[str, str] = {}
        with self._lock:
            now = self._clock()
            for address, move in tuple(self._moves.items()):
                value = move.value(now)
                if move.ended(now):
                    del self._moves[address]
                if value != self._values[address]:
                    self._hold(address, value, FADE_WRITER, changed, now)
            if changed:
                self._snapshot = self._freeze(self._snapshot.version + 1)
            snapshot, listeners = self._snapshot, self._listeners
        if changed:
            self._tell(listeners, snapshot, changed)
        return snapshot

    def on_the_way(self) -> Mapping[str, Value]:
        """What is being faded, and where to."""
        with self._lock:
            return {address: move.target for address, move in self._moves.items()}

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after every change, on the writer's thread. Returns the way to stop it.

        Two writers at once may call it out of order: compare `snapshot.version`. An exception in it is logged and
        counted in `listener_errors`; it reaches neither the writer nor the other listeners.
        """
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def stop() -> None:
            with self._lock:
                self._listeners = tuple(kept for kept in self._listeners if kept is not listener)

        return stop

    def _apply(self, change: Change, checked: Coerced, changed: dict[str, str], now: int) -> Result:
        address, value, status = change.address, checked.value, checked.status
        if value is None:
            return Result(address, status, self._values.get(address), checked.line)
        if address in self._fired:
            try:
                self._edit(address, value, changed, now)
            except UserError as refusal:
                return Result(address, "refused", None, f"{address}: {refusal}")
            self._fired[address] += 1
            self._changed_ns[address] = now
            changed[address] = change.writer
            return Result(address, status, None, checked.line)
        held = self._values[address]
        self._moves.pop(address, None)
        if address in (PROMPT, PROMPTS):
            self._prompt_fade = change.fade  # the mix of prompts glides, in the director; the words change at once
        elif change.fade is not None and value != held:
            move = Move(held, value, now, change.fade)
            if not move.ended(now):
                self._moves[address] = move
                return Result(address, status, held, checked.line)
        if held == value:
            return Result(address, "unchanged" if status == "set" else status, held, checked.line)
        self._hold(address, value, change.writer, changed, now)
        return Result(address, status, value, checked.line)

    def _settle_prompt(self, wishes: Sequence[tuple[Change, Coerced]], changed: dict[str, str], now: int) -> None:
        """Whoever writes a prompt wants to see it: it ends the mix of prompts, unless the same bundle writes one.

        Under nobody's name, so that the writer hears of it as well.
        """
        written = {change.address for change, checked in wishes if checked.value is not None}
        if PROMPT in written and PROMPTS not in written and self._values.get(PROMPTS):
            self._hold(PROMPTS, (), "", changed, now)

    def _hold(self, address: str, value: Value, writer: str, changed: dict[str, str], now: int) -> None:
        self._values[address] = value
        self._changed_ns[address] = now
        changed[address] = writer

    def _edit(self, trigger: str, argument: Value, changed: dict[str, str], now: int) -> None:
        """What the trigger does to other parameters. Nobody wrote those, so everybody hears of them."""
        edit = self._edits.get(trigger)
        for address, value in edit(MappingProxyType(self._values), argument).items() if edit is not None else ():
            checked = self.check(address, osc_schema.flat(value))
            if checked.status != "set" or checked.value is None:
                raise UserError(checked.line)
            self._moves.pop(address, None)
            if self._values[address] != checked.value:
                self._hold(address, checked.value, "", changed, now)

    def _freeze(self, version: int) -> Snapshot:
        return Snapshot(
            version=version,
            values=MappingProxyType(dict(self._values)),
            changed_ns=MappingProxyType(dict(self._changed_ns)),
            fired=MappingProxyType(dict(self._fired)),
            generation=self._fired.get(RESET, 0),
            prompt_fade=self._prompt_fade,
        )

    def _tell(self, listeners: tuple[Listener, ...], snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        for listener in listeners:
            try:
                listener(snapshot, MappingProxyType(dict(changed)))
            except Exception:
                with self._lock:
                    self.listener_errors += 1
                log.exception("a listener of the parameters failed; the show goes on")
