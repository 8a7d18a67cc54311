"""From datagrams to changes of the parameters: decode, sort, coalesce. No sockets, no threads.

Take every datagram that has arrived, then `flush` once: however many there were, each address is set once, to its
last valid value, all in one version of the parameters. Requests are answered after that, so a pong says that whatever
was sent before the ping has been applied.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

import osc_schema
from streamvace.control.beats import BeatGate
from streamvace.control.commands import Commands
from streamvace.control.cue_list import CueList
from streamvace.control.parameters import Change, Parameters, Result
from streamvace.osc import codec
from streamvace.osc.coalesce import Arrival, Coalescer
from streamvace.osc.codec import IMPULSE, Message, OscError
from streamvace.osc.pattern import Addresses, is_pattern
from streamvace.osc.peer import Peer, writer_name
from streamvace.osc.schedule import Schedule
from streamvace.system.errors import UserError

MAX_PATTERNS = 8
"""Address patterns a datagram."""
MAX_PATTERN_LETTERS = 256
"""Of all patterns of a datagram: what matching them costs grows with it."""
MAX_NAMED = codec.MAX_MESSAGES
"""Addresses that a datagram may name in all, by messages and by patterns: each is checked and set."""
ACT_COSTS = 32
"""Of those addresses, what a command costs that looks at all values: a store copies the whole look."""
MAX_REQUESTS = 256
"""Requests answered a flush; the oldest give way."""
MAX_ACTIONS = 64
"""Triggers with a value that are applied a flush: each counts, none overtakes another, so they need a bound."""
MAX_COMPLAINTS = 64
"""Senders and addresses told off a flush."""

QUANTISE = "/streamvace/quantise"

log = logging.getLogger(__name__)


@dataclass
class Counters:
    """What has come in since the start. Each counts messages unless it says otherwise.

    datagrams: received. malformed: datagrams that were no OSC. messages: decoded, patterns counted once.
    applied: changes handed to the parameters. coalesced: overtaken by a later one before it was applied.
    clamped, refused: out of range; of no meaning. unknown: to addresses that do not exist.
    scheduled: bundles kept for later. unscheduled: bundles refused for their time tag, or for want of room.
    requests_dropped: requests that gave way to newer ones. unsent: replies and feedback the network did not take.
    tcp_refused: connections beyond the limit. tcp_unframed, tcp_slow: connections that were ended because no packets
    could be told apart in what they sent, or because they did not read what they had asked for.
    faults: errors of ours that were caught; should stay 0.
    """

    datagrams: int = 0
    malformed: int = 0
    messages: int = 0
    applied: int = 0
    coalesced: int = 0
    clamped: int = 0
    refused: int = 0
    unknown: int = 0
    scheduled: int = 0
    unscheduled: int = 0
    requests_dropped: int = 0
    unsent: int = 0
    tcp_refused: int = 0
    tcp_unframed: int = 0
    tcp_slow: int = 0
    faults: int = 0


Wanted = dict[str | int, tuple[Change, Peer]]
"""Changes to make and who asked, by address; actions by number: in order of arrival."""


@dataclass(frozen=True)
class Request:
    """Something to answer: a service message, or a query (`address` is then the parameter asked for)."""

    address: str
    arguments: tuple[codec.Argument, ...]
    peer: Peer


@dataclass
class Outcome:
    """What a flush did, and who waits for what.

    complaints: for each sender and address, the one line to send back.
    """

    results: tuple[Result, ...] = ()
    requests: list[Request] = field(default_factory=list)
    complaints: dict[tuple[Peer, str], str] = field(default_factory=dict)


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
    ) -> None:
        """commands: what is no parameter and no service; by itself only `/to` addresses, without cues.

        gate: what waits for a beat. look_ahead_s: how early what shapes a chunk must be set to be seen on time.
        """
        self.counters = Counters()
        self.commands = commands or Commands(parameters, CueList())
        self.schedule = Schedule()
        self._thinner = Coalescer(parameters.schema)
        self._parameters = parameters
        self._wall_clock = wall_clock
        self._services = frozenset(service.address for service in osc_schema.services())
        # Triggers answer to their full address only: a `/*` meant for faders must not end the show.
        patternable = [row.address for row in parameters.schema.values() if row.type != "trigger"]
        self._patternable = Addresses((*patternable, *self.commands.glides))
        self._gate = gate or BeatGate()
        self._look_ahead_s = look_ahead_s
        self._pending: Wanted = {}
        self._held: Wanted = {}  # until the beat
        self._held_beat = 0.0
        self._nameable = MAX_NAMED
        self._numbers = count()
        self._actions = 0
        self._results: tuple[Result, ...] = ()
        self._requests: deque[Request] = deque()
        self._complaints: dict[tuple[Peer, str], str] = {}

    def take_all(self, arrived: Sequence[Arrival]) -> None:
        """Take in a batch of datagrams, oldest first, without reading those that later ones overtake anyway."""
        kept = self._thinner.thin(arrived)
        overtaken = len(arrived) - len(kept)
        self.counters.datagrams += overtaken
        self.counters.messages += overtaken
        self.counters.coalesced += overtaken
        for datagram, peer in kept:
            self.take(datagram, peer)

    def take(self, datagram: bytes, peer: Peer) -> None:
        """Take in one datagram. Never raises for what is in it."""
        self.counters.datagrams += 1
        try:
            messages = codec.decode(datagram)
        except OscError as problem:
            self.counters.malformed += 1
            if self.counters.malformed.bit_count() == 1:  # the 1st, 2nd, 4th, 8th ...: a flood must not fill the log
                log.warning("OSC from %s:%s: %s (%d malformed so far)", *peer, problem, self.counters.malformed)
            return
        self.counters.messages += len(messages)
        now = self._wall_clock()
        patterns, letters, self._nameable = MAX_PATTERNS, MAX_PATTERN_LETTERS, MAX_NAMED
        later: dict[int, list[Message]] = {}
        for message in messages:
            if is_pattern(message.address):
                patterns -= 1
                letters -= len(message.address)
                if patterns < 0 or letters < 0:
                    self.counters.refused += 1
                    continue
            else:
                self._nameable -= 1
            if message.timetag != codec.IMMEDIATELY and codec.unix_seconds(message.timetag) > now:
                later.setdefault(message.timetag, []).append(message)
            else:
                self._sort(message, peer)
        for timetag, group in later.items():
            due = codec.unix_seconds(timetag)
            ahead = any(self._shapes(message.address) for message in group)
            refusal = self.schedule.add(due, now, tuple(group), peer, len(datagram), ahead=ahead)
            if refusal:
                self.counters.unscheduled += 1
                self._complain(peer, "bundle", refusal)
            else:
                self.counters.scheduled += 1

    def flush(self) -> Outcome:
        """Apply everything taken, and scheduled bundles that are due, as one change of the parameters."""
        for messages, peer in self.schedule.pop_due(self._wall_clock(), self._look_ahead_s()):
            self._nameable = MAX_NAMED
            for message in messages:
                self._sort(message, peer, timed=True)
        if self._held and self._gate.wait_s(self._held_beat) <= 0:
            # What came for the same address meanwhile is newer, and stays.
            self._pending = {**self._held, **self._pending}
            self._held = {}
        self._apply()
        outcome = Outcome(self._results, list(self._requests), self._complaints)
        self._results, self._complaints, self._actions = (), {}, 0
        self._requests.clear()
        return outcome

    def seconds_to_next(self) -> float | None:
        """How long until something that waits must be set; None when nothing waits."""
        waits = [self._gate.wait_s(self._held_beat)] if self._held else []
        due = self.schedule.next_due(self._look_ahead_s())
        if due is not None:
            waits.append(max(0.0, due - self._wall_clock()))
        return min(waits, default=None)

    def _apply(self) -> None:
        """Everything pending, as one change of the parameters."""
        if not self._pending:
            return
        results = self._parameters.apply_bundle(change for change, _ in self._pending.values())
        for result, (_, peer) in zip(results, self._pending.values(), strict=True):
            if result.status == "refused":  # found only now: what an action asks for depends on what there is
                self.counters.refused += 1
                self._complain(peer, result.address, result.line)
            elif result.address == QUANTISE:
                self._quantise(str(result.value), peer)
        self.counters.applied += len(self._pending)
        self._results += results
        self._pending = {}

    def _quantise(self, choice: str, peer: Peer) -> None:
        try:
            self._gate.follow(choice)
        except UserError as error:
            self._parameters.set(QUANTISE, ("off",), writer="")
            self._complain(peer, QUANTISE, str(error))

    def _sort(self, message: Message, peer: Peer, *, timed: bool = False) -> None:
        """One message whose time has come: a request, or a change for each address it names.

        timed: it brought its own time, so it waits for no beat.
        """
        if message.address in self._services:
            self._ask(Request(message.address, message.arguments, peer))
            return
        addresses: tuple[str, ...] = (message.address,)
        if is_pattern(message.address):
            addresses = self._named(message.address)
        elif message.address not in self._parameters.schema and not self.commands.known(message.address):
            addresses = ()
        if not addresses:
            self.counters.unknown += 1
            # Others' traffic on a shared port is none of ours to comment on.
            if message.address.startswith("/streamvace/"):
                self._complain(peer, message.address, f"{message.address[:80]}: there is no such parameter")
        arguments = (True,) if message.arguments == (IMPULSE,) else message.arguments
        for address in addresses:
            if self.commands.known(address):
                self._command(address, arguments, peer, timed=timed)
            else:
                self._want(Change(address, arguments, writer_name(peer)), peer, timed=timed)

    def _named(self, pattern: str) -> tuple[str, ...]:
        """What the pattern names; no more than this datagram may still name, the others are refused."""
        found = self._patternable.matching(pattern)
        kept = found[: max(0, self._nameable)]
        self._nameable -= len(kept)
        self.counters.refused += len(found) - len(kept)
        return kept

    def _command(self, address: str, arguments: tuple[codec.Argument, ...], peer: Peer, *, timed: bool) -> None:
        try:
            if self._nameable < 0:
                raise UserError("too much at once; send it in a datagram of its own")
            if self.commands.acts(address):
                self._nameable -= ACT_COSTS
                self._apply()
            changes = self.commands.changes(address, arguments)
        except UserError as refusal:
            self.counters.refused += 1
            self._complain(peer, address, f"{address}: {refusal}")
            return
        # A cue is taken whole or not at all, so the last one may go beyond the bound. Each of its values counts twice:
        # it has to be made as well as checked and set.
        self._nameable -= 2 * len(changes)
        for change in changes:
            self._want(change, peer, timed=timed, deliberate=True)

    def _want(self, change: Change, peer: Peer, *, timed: bool, deliberate: bool = False) -> None:
        """deliberate: by a command, so that even a float may wait for the beat; a hand on a fader never does."""
        row = self._parameters.schema[change.address]
        trigger = row.type == "trigger"
        if change.arguments == ("?",) or (not change.arguments and not trigger):
            self._ask(Request(change.address, (), peer))
            return
        # Judged now, not at the flush: a bad message must not push out the good one before it, and a button's release
        # must not undo its press.
        checked = self._parameters.check(change.address, change.arguments)
        if checked.line:
            self._complain(peer, change.address, checked.line)
        self.counters.clamped += checked.status == "clamped"
        self.counters.refused += checked.status == "refused"
        if checked.value is None:
            return
        waits = self._gate.holding and not timed and (deliberate or row.type != "float") and self._shapes(row.address)
        if waits and not self._held:
            self._held_beat = self._gate.next_beat()
        wanted = self._held if waits else self._pending
        if row.argument:
            if self._actions == MAX_ACTIONS:
                self.counters.refused += 1
                self._complain(peer, change.address, f"{change.address}: more than {MAX_ACTIONS} actions at once")
                return
            self._actions += 1
            wanted[next(self._numbers)] = (change, peer)
            return
        self.counters.coalesced += wanted.pop(change.address, None) is not None
        wanted[change.address] = (change, peer)

    def _shapes(self, address: str) -> bool:
        """Whether what is sent there is seen from a chunk on, rather than at once."""
        row = self._parameters.schema.get(address)
        return self.commands.known(address) or is_pattern(address) or (row is not None and row.applies == "next_chunk")

    def _ask(self, request: Request) -> None:
        if len(self._requests) == MAX_REQUESTS:
            self._requests.popleft()
            self.counters.requests_dropped += 1
        self._requests.append(request)

    def _complain(self, peer: Peer, about: str, line: str) -> None:
        if len(self._complaints) < MAX_COMPLAINTS or (peer, about) in self._complaints:
            self._complaints[peer, about] = line
