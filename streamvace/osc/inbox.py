"""From datagrams to changes of the parameters: decode, sort, coalesce. No sockets, no threads.

Take every datagram that has arrived, then `flush` once: each address is set to its last valid value, all of them in one
version of the parameters. Requests are answered afterwards, so a pong confirms that everything sent before the ping has
been applied.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

import osc_schema
from osc_schema import Value
from streamvace.control import aliases
from streamvace.control.beats import ROWS, BeatGate
from streamvace.control.commands import Commands
from streamvace.control.cue_list import CueList
from streamvace.control.parameters import Change, Parameters, Result
from streamvace.osc import codec
from streamvace.osc.coalesce import Arrival, Coalescer
from streamvace.osc.codec import IMPULSE, Message, OscError, Untyped
from streamvace.osc.complaints import Complaint, Complaints
from streamvace.osc.counters import Counters
from streamvace.osc.monitor import Monitor, Received
from streamvace.osc.near_misses import NearMisses
from streamvace.osc.pattern import Addresses, is_pattern
from streamvace.osc.peer import SHOW, Peer, machine_of, writer_name
from streamvace.osc.schedule import Schedule
from streamvace.system.errors import UserError

MAX_PATTERNS = 8
"""Address patterns a datagram."""
MAX_PATTERN_LETTERS = 256
"""Characters of all patterns of a datagram; the cost of matching grows with them."""
TOO_MANY_PATTERNS = f"a datagram has at most {MAX_PATTERNS} patterns, of {MAX_PATTERN_LETTERS} characters in total"
MAX_NAMED = codec.MAX_MESSAGES
"""Addresses that the messages and patterns of a datagram may name; each is coerced and set."""
ACT_COSTS = 32
"""How many of those addresses a command counts as that reads all values: a store copies a whole look."""
MAX_REQUESTS = 256
"""Requests answered a flush; older ones are dropped."""
MAX_ACTIONS = 64
"""Triggers with a value applied a flush. They are never coalesced, so they need a limit."""

Forbids = Callable[[str, str, Value], str]
"""(host, address, value) -> why this host may not set this value, or an empty string."""

Hears = Callable[[str, tuple[object, ...]], bool]
"""(address, arguments) -> whether something listens to this message, whose address is none of the show's own."""

Pending = dict[str | int, tuple[Change, Peer]]
"""Changes and their senders, in order of arrival: by address; actions, which are not coalesced, by number."""


@dataclass(frozen=True)
class Request:
    """Something to answer: a service message, or a query (`address` is then the parameter)."""

    address: str
    arguments: tuple[codec.Argument, ...]
    peer: Peer


@dataclass
class Outcome:
    """The outcome of a flush.

    complaints, notes: see Complaints.
    """

    results: tuple[Result, ...] = ()
    requests: list[Request] = field(default_factory=list)
    complaints: dict[tuple[Peer, str], Complaint] = field(default_factory=dict)
    notes: dict[tuple[Peer, str], str] = field(default_factory=dict)


@dataclass
class _Origin:
    """The datagram that messages come from, and what they may still cost.

    timed: its bundle has a time tag, so nothing in it waits for a beat. addresses, patterns, letters: what is left of
    MAX_NAMED, MAX_PATTERNS and MAX_PATTERN_LETTERS.
    """

    peer: Peer
    timed: bool = False
    addresses: int = MAX_NAMED
    patterns: int = MAX_PATTERNS
    letters: int = MAX_PATTERN_LETTERS

    def affords(self, address: str) -> bool:
        """Charge for one address or pattern; False for a pattern beyond the limits."""
        if not is_pattern(address):
            self.addresses -= 1
            return True
        self.patterns -= 1
        self.letters -= len(address)
        return self.patterns >= 0 and self.letters >= 0


class Inbox:
    """Collects until flushed. Belongs to one thread."""

    def __init__(
        self,
        parameters: Parameters,
        wall_clock: Callable[[], float] = time.time,
        *,
        commands: Commands | None = None,
        gate: BeatGate | None = None,
        look_ahead_s: Callable[[], float] = float,
        forbids: Forbids = lambda host, address, value: "",
        hears: Hears = lambda address, arguments: False,
    ) -> None:
        """commands: None knows only the `/to` addresses, without cues. gate: None waits for no beat.

        look_ahead_s: how many seconds early a parameter that shapes a chunk must be set to be seen on time.

        forbids: why the sender's host may not set a value, or an empty string. hears: takes a message whose address is
        none of the show's own; whether anything listens to it.
        """
        self.counters = Counters()
        self.commands = commands or Commands(parameters, CueList())
        self.schedule = Schedule()
        self.monitor = Monitor()
        self._coalescer = Coalescer(parameters.schema)
        self._parameters = parameters
        self._wall_clock = wall_clock
        self._services = frozenset(service.address for service in osc_schema.services())
        # Triggers are set by their full address only: a `/*` meant for faders must not end the show.
        patternable = [row.address for row in parameters.schema.values() if row.type != "trigger"]
        self._patternable = Addresses((*patternable, *self.commands.glides))
        near_misses = NearMisses((*parameters.schema, *sorted(self._services), *self.commands.addresses))
        self._complaints = Complaints(self.counters, self.monitor, near_misses)
        self._gate = gate or BeatGate()
        self._look_ahead_s = look_ahead_s
        self._forbids = forbids
        self._hears = hears
        self._pending: Pending = {}
        self._held: Pending = {}  # until the beat
        self._held_beat = 0.0
        self._numbers = count()
        self._actions = 0
        self._results: tuple[Result, ...] = ()
        self._requests: deque[Request] = deque()

    def take_all(self, arrived: Sequence[Arrival]) -> None:
        """Take a batch of datagrams, oldest first. Those that a later one supersedes are not decoded."""
        kept = self._coalescer.coalesce(arrived)
        superseded = len(arrived) - len(kept)
        self.counters.datagrams += superseded
        self.counters.messages += superseded
        self.counters.coalesced += superseded
        for datagram, peer in kept:
            self.take(datagram, peer)

    def take(self, datagram: bytes, peer: Peer) -> None:
        """Take one datagram. Never raises for its content."""
        self.counters.datagrams += 1
        try:
            messages = codec.decode(datagram)
        except OscError as problem:
            self.counters.malformed += 1
            line = f"{problem}; nothing of its bundle is used" if datagram.startswith(b"#bundle") else str(problem)
            self._complaints.unreadable(peer, problem, line, self._wall_clock())
            return
        self.counters.messages += len(messages)
        now = self._wall_clock()
        origin = _Origin(peer)
        later: dict[int, list[Message]] = {}
        waiting: dict[int, list[Received]] = {}
        for message in messages:
            noted = self.monitor.note(now, peer, message.address, message.arguments)
            if not origin.affords(message.address):
                self.counters.refused += 1
                self._complaints.tell(peer, "patterns", "refused", TOO_MANY_PATTERNS)
            elif message.timetag != codec.IMMEDIATELY and codec.unix_seconds(message.timetag) > now:
                later.setdefault(message.timetag, []).append(message)
                waiting.setdefault(message.timetag, []).append(noted)
                self.monitor.becomes("waits", f"{codec.unix_seconds(message.timetag) - now:.3g} s until its time tag")
            else:
                self._sort(message, origin)
        for timetag, group in later.items():
            due = codec.unix_seconds(timetag)
            ahead = any(self._shapes(message.address) for message in group)
            refusal = self.schedule.add(due, now, tuple(group), peer, len(datagram), ahead=ahead)
            if refusal:
                self.counters.unscheduled += 1
                for noted in waiting[timetag]:
                    noted.fate, noted.why = "refused", refusal
                self._complaints.complain(peer, "bundle", Complaint("refused", refusal))
            else:
                self.counters.scheduled += 1

    def flush(self) -> Outcome:
        """Apply everything taken, scheduled bundles that are due, and what comes by itself, as one version of
        the parameters."""
        now = self._wall_clock()
        for messages, peer in self.schedule.pop_due(now, self._look_ahead_s()):
            origin = _Origin(peer, timed=True)
            for message in messages:
                self.monitor.note(now, peer, message.address, message.arguments)
                self._sort(message, origin)
        for coming in self.commands.due():
            self.monitor.note(now, SHOW, coming.address, (coming.argument,))
            for change in coming.changes:
                self._want(change, _Origin(SHOW, timed=coming.on_time), deliberate=True)
        on_beat = bool(self._held) and self._gate.wait_s(self._held_beat) <= 0
        if on_beat:
            # A pending change of the same address is newer and wins.
            self._pending = {**self._held, **self._pending}
        self._apply()
        if on_beat:
            self._held = {}  # only now: who asks meanwhile what is to come finds it here or in the parameters
        outcome = Outcome(self._results, list(self._requests), self._complaints.told, self._complaints.noted)
        self._results, self._actions = (), 0
        self._complaints.end_turn()
        self._requests.clear()
        return outcome

    def waiting(self) -> dict[str, Value]:
        """What parameters are set to on the beat that changes wait for, by address. Any thread."""
        coerced = [change.coerced for change, _ in tuple(self._held.values())]
        return {each.address: each.value for each in coerced if each.value is not None}

    def seconds_to_next(self) -> float | None:
        """Seconds until a waiting change must be set or something may come by itself; None when nothing does."""
        waits = [self._gate.wait_s(self._held_beat)] if self._held else []
        coming = self.commands.wait_s()
        if coming is not None:
            waits.append(coming)
        due = self.schedule.next_due(self._look_ahead_s())
        if due is not None:
            waits.append(max(0.0, due - self._wall_clock()))
        return min(waits, default=None)

    def _apply(self) -> None:
        """Apply everything pending as one version of the parameters."""
        if not self._pending:
            return
        results = self._parameters.apply_bundle([change for change, _ in self._pending.values()])
        for result, (_, peer) in zip(results, self._pending.values(), strict=True):
            if result.status == "refused":  # by a trigger's edit, which depends on the current values
                self.counters.refused += 1
                self._complaints.refuse_after_all(peer, result.address, result.line)
        tempo = {
            result.address: (result.value, peer)
            for result, (_, peer) in zip(results, self._pending.values(), strict=True)
            if result.address in ROWS and result.value is not None
        }
        if tempo:
            self._follow(tempo)
        self.counters.applied += len(self._pending)
        self._results += results
        self._pending = {}

    def _follow(self, asked: Mapping[str, tuple[Value, Peer]]) -> None:
        """Let the beat follow its parameters; those that cannot be followed return to what they held before."""
        try:
            self._gate.follow(self._parameters.snapshot())
        except UserError as error:
            for address, (value, peer) in asked.items():
                self._parameters.take_back(address, value)
                self._complaints.refuse_after_all(peer, address, str(error), error.fix)
            self._gate.follow(self._parameters.snapshot())

    def _sort(self, message: Message, origin: _Origin) -> None:
        """Handle a message that is due: a request, or a change of each address it names."""
        address, arguments = self._own(message)
        named: tuple[str, ...] = ()
        if is_pattern(address):
            named = self._matching(address, origin)
        elif address in self._parameters.schema or self.commands.known(address) or address in self._services:
            named = (address,)
        elif self._hears(address, arguments):
            self.monitor.becomes("heard", "by a modulator")
        else:
            self._complaints.unknown(origin.peer, address)
        if named and arguments:
            if type(arguments[0]) is Untyped:
                if not self._fires(address, arguments[0]):
                    self.counters.refused += 1
                    line = f"{address[:80]}: its arguments have no type tags (such as ,f) and cannot be read"
                    self._complaints.tell(origin.peer, address, "refused", line)
                    return
                arguments = ()
            elif arguments == (IMPULSE,):
                arguments = (True,)
        for each in named:
            if each in self._services:
                self._ask(Request(each, arguments, origin.peer))
            elif self.commands.known(each):
                self._command(each, arguments, origin)
            else:
                self._set(each, arguments, origin)

    def _own(self, message: Message) -> tuple[str, tuple[codec.Argument, ...]]:
        """Address and arguments, in place of those of another program where that is switched on."""
        if message.address.startswith("/streamvace/") or not self._parameters.snapshot().flag(aliases.ROW):
            return message.address, message.arguments
        return aliases.meant(message.address, message.arguments) or (message.address, message.arguments)

    def _matching(self, pattern: str, origin: _Origin) -> tuple[str, ...]:
        """The addresses that a pattern matches, as far as the datagram may name more; the rest is refused."""
        found = self._patternable.matching(pattern)
        kept = found[: max(0, origin.addresses)]
        origin.addresses -= len(kept)
        if not found:
            self._complaints.unknown(origin.peer, pattern)
        elif len(kept) < len(found):
            self.counters.refused += len(found) - len(kept)
            line = f"{pattern[:80]}: {len(found) - len(kept)} of {len(found)} addresses are too many for a datagram"
            self._complaints.tell(origin.peer, pattern, "refused", line)
        return kept

    def _fires(self, address: str, untyped: Untyped) -> bool:
        """Whether untyped arguments can be left out: they press a trigger. Zeros would be the release of a button."""
        row = self._parameters.schema.get(address)
        return row is not None and row.type == "trigger" and not row.argument and any(untyped.data)

    def _command(self, address: str, arguments: tuple[codec.Argument, ...], origin: _Origin) -> None:
        try:
            if origin.addresses < 0:
                raise UserError("too much at once; send it in a datagram of its own")
            if self.commands.acts(address):
                origin.addresses -= ACT_COSTS
                self._apply()
            changes = self.commands.changes(address, arguments)
        except UserError as refusal:
            self.counters.refused += 1
            self._complaints.tell(origin.peer, address, "refused", f"{address}: {refusal}")
            return
        # A cue is applied whole or not at all, so the last one may exceed the limit. Each of its values counts twice:
        # once to build the change, once to set it.
        origin.addresses -= 2 * len(changes)
        for change in changes:
            self._want(change, origin, deliberate=True)

    def _set(self, address: str, arguments: tuple[codec.Argument, ...], origin: _Origin) -> None:
        """Coerce one value, or note the query for it."""
        if arguments == ("?",) or (not arguments and self._parameters.schema[address].type != "trigger"):
            self._ask(Request(address, (), origin.peer))
            return
        # Coerced here and not at the flush: a bad message must not replace the good one before it, and a button's
        # release must not undo its press.
        self._want(Change(self._parameters.check(address, arguments), writer_name(origin.peer)), origin)

    def _want(self, change: Change, origin: _Origin, *, deliberate: bool = False) -> None:
        """Queue a change. deliberate: by a command, so even a float waits for the beat; a moved fader never does."""
        address, status, value, line = change.coerced
        if value is None:
            if status == "refused":
                self.counters.refused += 1
                self._complaints.tell(origin.peer, address, "refused", line)
            else:
                self.monitor.becomes("ignored", "the release of a button")
            return
        if refusal := self._forbidden(machine_of(origin.peer), address, value):
            self.counters.refused += 1
            self._complaints.tell(origin.peer, address, "refused", refusal)
            return
        if status == "clamped":
            self.counters.clamped += 1
            self._complaints.tell(origin.peer, address, "clamped", line)
        row = self._parameters.schema[address]
        may_wait = row.shapes_picture and not origin.timed and (deliberate or row.type != "float")
        waits = may_wait and self._gate.holding  # asked last: it reads the clock of the beat
        if waits and not self._held:
            self._held_beat = self._gate.next_beat()
        if waits and not line:
            self.monitor.becomes("waits", "for the beat")
        queue = self._held if waits else self._pending
        if row.argument:
            if self._actions == MAX_ACTIONS:
                self.counters.refused += 1
                line = f"{address}: more than {MAX_ACTIONS} actions at once"
                self._complaints.tell(origin.peer, address, "refused", line)
                return
            self._actions += 1
            queue[next(self._numbers)] = (change, origin.peer)
            return
        self.counters.coalesced += queue.pop(address, None) is not None
        queue[address] = (change, origin.peer)

    def _forbidden(self, machine: str, address: str, value: Value) -> str:
        """Why a sender may not make this change, or undo or redo to such a value; empty if it may."""
        restored = self._parameters.restorable(address)
        refusals = (self._forbids(machine, each, held) for each, held in (*restored.items(), (address, value)))
        return next(filter(None, refusals), "")

    def _shapes(self, address: str) -> bool:
        """Whether a change is seen from the next chunk on, rather than at once."""
        row = self._parameters.schema.get(address)
        return self.commands.known(address) or is_pattern(address) or (row is not None and row.applies == "next_chunk")

    def _ask(self, request: Request) -> None:
        self.monitor.becomes("answered")
        if len(self._requests) == MAX_REQUESTS:
            self._requests.popleft()
            self.counters.requests_dropped += 1
        self._requests.append(request)
