"""The parameters of the running show: one validated store for every control surface, read by the director.

OSC, the web panel, TouchDesigner and the command line set values only here. The generator sees only a `Snapshot`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

import osc_schema
from osc_schema import Parameter, Value, Weighted
from streamvace.control.coercion import Coerced, Status, coerce
from streamvace.control.fades import Fade, Move
from streamvace.control.history import History
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError

RESET = "/streamvace/reset"
HARD_CUT = "/streamvace/hard_cut"
PROMPT = "/streamvace/prompt"
PROMPTS = "/streamvace/prompts"

UNDO, REDO = "/streamvace/undo", "/streamvace/redo"

FADE_WRITER = "fade"
"""The writer of a fade's values. It is no subscriber, so everyone gets feedback."""
HISTORY_WRITER = "history"
"""The writer of values that undo and redo restore."""
LIST_WRITER = "list"
"""The writer of prompts that come by themselves, one after another. Undo passes over them: it is for what hands did."""

_UNNOTED = (HISTORY_WRITER, LIST_WRITER)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """One immutable, validated set of parameters.

    version: counts up by one with every change; two snapshots of one store with the same version are equal.
    values: the value of every writable parameter; triggers are left out.
    changed_ns: when each address last changed (triggers: last fired, absent before), on the clock `now_ns`.
    fired: how often each trigger has fired.
    generation: how often `/streamvace/reset` and `/streamvace/hard_cut` have fired. Pictures of an older generation are
        not shown; `/streamvace/reset_fade` lets the last one on show fade.
    prompt_fade: the fade of the newest prompt; None leaves it to the transition parameters.
    hard: the generation that the last hard cut began; 0 before the first.
    """

    version: int
    values: Mapping[str, Value]
    changed_ns: Mapping[str, int]
    fired: Mapping[str, int]
    generation: int
    prompt_fade: Fade | None = None
    hard: int = 0

    def __getitem__(self, address: str) -> Value:
        return self.values[address]

    def showing(self, values: Mapping[str, Value]) -> Snapshot:
        """The same with these values in place of those held, for one picture or chunk. They are of the right types."""
        return replace(self, values=MappingProxyType({**self.values, **values})) if values else self

    def held(self, address: str) -> Coerced:
        """A value as something that can be set again. It was coerced when it was set."""
        return Coerced(address, "set", self.values[address])

    def number(self, address: str) -> float:
        """A float or int parameter as a float. Raises TypeError for any other type: a bug, not bad input."""
        value = self.values[address]
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise TypeError(f"{address} holds {value!r}, not a number")
        return float(value)

    def integer(self, address: str) -> int:
        """An int parameter. Raises TypeError for any other type."""
        value = self.values[address]
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(f"{address} holds {value!r}, not an int")
        return value

    def flag(self, address: str) -> bool:
        """A bool parameter. Raises TypeError for any other type."""
        value = self.values[address]
        if not isinstance(value, bool):
            raise TypeError(f"{address} holds {value!r}, not a bool")
        return value

    def text(self, address: str) -> str:
        """A string or choice parameter. Raises TypeError for any other type."""
        value = self.values[address]
        if not isinstance(value, str):
            raise TypeError(f"{address} holds {value!r}, not a string")
        return value

    def texts(self, address: str) -> tuple[str, ...]:
        """The texts of a strings or weighted parameter, without weights. Raises TypeError for any other type."""
        return tuple(text for text, _ in self.weighted(address))

    def weighted(self, address: str) -> Weighted:
        """A weighted parameter as (text, weight) pairs; the weights of a strings parameter are 1.

        Raises TypeError for any other type.
        """
        value = self.values[address]
        if not isinstance(value, tuple):
            raise TypeError(f"{address} holds {value!r}, not a list")
        return tuple((item, 1.0) if isinstance(item, str) else item for item in value)


class Change(NamedTuple):
    """A coerced value to set.

    writer: any name; everyone else gets feedback. fade: how long the change takes; None is immediate and ends a fade of
    that parameter.
    """

    coerced: Coerced
    writer: str
    fade: Fade | None = None


@dataclass(frozen=True)
class Result:
    """The outcome of a change.

    status: set, unchanged (the parameter held that value already), clamped, refused, or ignored (a button release).
    value: what the parameter holds now; None for triggers and unknown addresses.
    line: for clamped and refused, one line for the user with the received value and the accepted range; else empty.
    """

    address: str
    status: Status
    value: Value | None
    line: str = ""


Edit = Callable[[Mapping[str, Value], Value], Mapping[str, Value]]
"""What a trigger does to other parameters: (current values, argument or True) -> values to set, by address.

Raises UserError to refuse. Runs under the store's lock, so it must be fast and must not call the store."""

Listener = Callable[[Snapshot, Mapping[str, str]], None]
"""Called after a change with the new snapshot and the writer of each changed address."""


class Parameters:
    """The store. Any thread may call any method; none blocks for longer than a dictionary copy."""

    def __init__(
        self,
        overrides: Mapping[str, Value] | None = None,
        *,
        schema: Iterable[Parameter] | None = None,
        edits: Mapping[str, Edit] = MappingProxyType({}),
        clock: Callable[[], int] = now_ns,
    ) -> None:
        """Start from the schema's defaults, then `overrides` by address. edits: of triggers, by address.

        Raises UserError for an override that is out of range or unknown.
        """
        self.schema = {row.address: row for row in (osc_schema.load() if schema is None else schema)}
        self.listener_errors = 0
        self._history = History()
        self._edits = {**edits, UNDO: self._undo, REDO: self._redo}
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
        self._before: dict[str, Value] = {}
        self._moves: dict[str, Move] = {}
        self._prompt_fade: Fade | None = None
        self._fired = {row.address: 0 for row in writable if row.type == "trigger"}
        self._hard = 0, 0  # hard cuts so far, and the generation that the last one began
        self._snapshot = self._freeze(version=0)

    def snapshot(self) -> Snapshot:
        """The newest values. Cheap: the same object until something changes."""
        return self._snapshot

    def check(self, address: str, arguments: tuple[object, ...]) -> Coerced:
        """The only way in: what these arguments mean for this parameter. Changes nothing and never raises."""
        row = self.schema.get(address)
        if row is None:
            return Coerced(address, "refused", None, f"{address[:80]!r}: there is no such parameter")
        return coerce(row, arguments)

    def set(self, address: str, arguments: tuple[object, ...], writer: str) -> Result:
        """Coerce and set one parameter, or fire one trigger. Never raises; bad input is refused in the Result."""
        return self.apply_bundle([Change(self.check(address, arguments), writer)])[0]

    def apply_bundle(self, changes: Sequence[Change]) -> tuple[Result, ...]:
        """Apply changes as one version: a reader sees all of them or none. Returns a Result for each, in order.

        A refused change does not block the others: one bad fader must not silence a scene. The last change of an
        address wins. Never raises.
        """
        changed: dict[str, str] = {}
        with self._lock:
            now, before, moves = self._clock(), self._snapshot.values, dict(self._moves)
            results = tuple(self._apply(change, changed, now) for change in changes)
            self._settle_prompt(changes, changed, now)
            self._remember(before, moves, changed, now)
            snapshot, listeners = self._commit(changed)
        self._notify(listeners, snapshot, changed)
        return results

    def advance(self) -> Snapshot:
        """Bring every fade to its value at this moment, as one version by FADE_WRITER. Called at chunk boundaries."""
        changed: dict[str, str] = {}
        with self._lock:
            now = self._clock()
            for address, move in tuple(self._moves.items()):
                if move.ended(now):
                    del self._moves[address]
                self._hold(address, move.value(now), FADE_WRITER, changed, now)
            snapshot, listeners = self._commit(changed)
        self._notify(listeners, snapshot, changed)
        return snapshot

    def fading(self) -> Mapping[str, Value]:
        """The value of every fade at this moment, by address, for what is shown between two chunks. Changes nothing."""
        if not self._moves:
            return {}
        with self._lock:
            now = self._clock()
            return {address: move.value(now) for address, move in self._moves.items()}

    def take_back(self, address: str, asked: Value) -> bool:
        """Restore the value before `asked`, which turned out to be impossible; False if it is no longer held.

        Without a value before, the schema's default returns. The change has no writer, so everyone gets feedback.
        """
        changed: dict[str, str] = {}
        with self._lock:
            if self._values.get(address) != asked:
                return False
            default = self.schema[address].default
            assert default is not None
            ruling = self._before.get(address, default)
            self._moves.pop(address, None)
            self._hold(address, ruling, "", changed, self._clock())
            self._before.pop(address, None)
            self._history.correct(address, asked, ruling)
            snapshot, listeners = self._commit(changed)
        self._notify(listeners, snapshot, changed)
        return True

    def on_the_way(self) -> Mapping[str, Value]:
        """The target of every fade, by address."""
        with self._lock:
            return {address: move.target for address, move in self._moves.items()}

    def undoable(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The addresses that undo would set now, and those that redo would."""
        with self._lock:
            return tuple(self._history.back), tuple(self._history.forward)

    def restorable(self, trigger: str) -> Mapping[str, Value]:
        """The values that UNDO or REDO would set now, by address; nothing for any other trigger."""
        if trigger not in (UNDO, REDO):
            return {}
        with self._lock:
            return self._history.back if trigger == UNDO else self._history.forward

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` after every change, on the writer's thread. Returns a function that ends this.

        With two writers at once the calls may be out of order: compare `snapshot.version`. An exception in a listener
        is logged and counted in `listener_errors`; it reaches neither the writer nor the other listeners.
        """
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def stop() -> None:
            with self._lock:
                self._listeners = tuple(kept for kept in self._listeners if kept is not listener)

        return stop

    def _apply(self, change: Change, changed: dict[str, str], now: int) -> Result:
        address, status, value, line = change.coerced
        if value is None:
            return Result(address, status, self._values.get(address), line)
        if address in self._fired:
            try:
                self._edit(address, value, changed, now)
            except UserError as refusal:
                return Result(address, "refused", None, f"{address}: {refusal}")
            self._fired[address] += 1
            self._changed_ns[address] = now
            changed[address] = change.writer
            return Result(address, status, None, line)
        held = self._values[address]
        self._moves.pop(address, None)
        if address in (PROMPT, PROMPTS):
            self._prompt_fade = change.fade  # the director fades the mix of prompts; the text changes at once
        elif change.fade is not None and value != held:
            move = Move(held, value, now, change.fade)
            if not move.ended(now):
                self._moves[address] = move
                return Result(address, status, held, line)
        if not self._hold(address, value, change.writer, changed, now) and status == "set":
            status = "unchanged"
        return Result(address, status, value, line)

    def _settle_prompt(self, changes: Iterable[Change], changed: dict[str, str], now: int) -> None:
        """A new prompt clears the mix of prompts, unless the same bundle sets one.

        The change has no writer, so that the sender gets feedback as well.
        """
        written = {change.coerced.address for change in changes if change.coerced.value is not None}
        if PROMPT in written and PROMPTS not in written and PROMPTS in self._values:
            self._hold(PROMPTS, (), "", changed, now)

    def _hold(self, address: str, value: Value, writer: str, changed: dict[str, str], now: int) -> bool:
        """Hold a value of the right type; whether it differs from the one before."""
        if self._values[address] == value:
            return False
        self._before[address], self._values[address] = self._values[address], value
        self._changed_ns[address] = now
        changed[address] = writer
        return True

    def _edit(self, trigger: str, argument: Value, changed: dict[str, str], now: int) -> None:
        """Apply the trigger's edit. Its changes have no client as writer, so that everyone gets feedback."""
        edit = self._edits.get(trigger)
        writer = HISTORY_WRITER if trigger in (UNDO, REDO) else ""
        for address, value in edit(MappingProxyType(self._values), argument).items() if edit is not None else ():
            coerced = self.check(address, osc_schema.flat(value))
            if coerced.status != "set" or coerced.value is None:
                raise UserError(coerced.line)
            self._moves.pop(address, None)
            if address in (PROMPT, PROMPTS):
                self._prompt_fade = None
            self._hold(address, coerced.value, writer, changed, now)

    def _undo(self, values: Mapping[str, Value], argument: Value) -> Mapping[str, Value]:
        return self._history.undo()

    def _redo(self, values: Mapping[str, Value], argument: Value) -> Mapping[str, Value]:
        return self._history.redo()

    def _remember(
        self, before: Mapping[str, Value], moves: Mapping[str, Move], changed: Mapping[str, str], now: int
    ) -> None:
        """Note what these changes set, and where fades that begin now are going, for undo."""
        begun = {address for address, move in self._moves.items() if move is not moves.get(address)}
        noted = {}
        for address in {*changed, *begun}:
            if address not in self._values or not self.schema[address].undo or changed.get(address) in _UNNOTED:
                continue
            move = self._moves.get(address)
            target = self._values[address] if move is None else move.target
            if target != before[address]:
                noted[address] = before[address], target
        if noted:
            self._history.note(noted, now)

    def _commit(self, changed: Mapping[str, str]) -> tuple[Snapshot, tuple[Listener, ...]]:
        """The snapshot after these changes, and the listeners to notify once the lock is released."""
        if changed:
            self._snapshot = self._freeze(self._snapshot.version + 1)
        return self._snapshot, self._listeners if changed else ()

    def _freeze(self, version: int) -> Snapshot:
        cuts = self._fired.get(HARD_CUT, 0)
        generation = self._fired.get(RESET, 0) + cuts
        if cuts != self._hard[0]:
            self._hard = cuts, generation
        return Snapshot(
            version=version,
            values=MappingProxyType(dict(self._values)),
            changed_ns=MappingProxyType(dict(self._changed_ns)),
            fired=MappingProxyType(dict(self._fired)),
            generation=generation,
            prompt_fade=self._prompt_fade,
            hard=self._hard[1],
        )

    def _notify(self, listeners: tuple[Listener, ...], snapshot: Snapshot, changed: Mapping[str, str]) -> None:
        for listener in listeners:
            try:
                listener(snapshot, MappingProxyType(dict(changed)))
            except Exception:
                with self._lock:
                    self.listener_errors += 1
                log.exception("a listener of the parameters failed; the show goes on")
