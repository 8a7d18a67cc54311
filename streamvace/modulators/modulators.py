"""The modulators of a show, and the lanes in which their values reach the picture.

The store of parameters holds the **base**: what faders, cues and fades write. A modulator adds to it where the value is
used: in the generator for each chunk, at the output for each tick. Each of these readers has a **lane** of its own.

Threads: any thread calls `follow`, `hear` and `figures`; a lane belongs to the thread that reads it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from osc_schema import Parameter, Value
from streamvace.control.parameters import Snapshot
from streamvace.control.transport import Moment
from streamvace.modulators.settings import NUMBERS, Settings, read
from streamvace.modulators.slew import Slew
from streamvace.modulators.sources import Turns, World, level
from streamvace.modulators.target import FAMILY, moved
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError


@dataclass(frozen=True, slots=True)
class _Running:
    settings: Settings
    turns: Turns


class Modulators:
    """What is on, and since when."""

    def __init__(
        self,
        schema: Mapping[str, Parameter],
        beat: Callable[[], Moment],
        clock: Callable[[], int] = now_ns,
        sound: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        """beat: the transport now. clock: nanoseconds. sound: what is heard now; see World."""
        self._schema = schema
        self._beat = beat
        self._sound = sound
        self._clock = clock
        self._lock = threading.Lock()
        self._running: tuple[_Running, ...] = ()
        self._version = -1
        self._heard: dict[str, float] = {}
        self._wanted: frozenset[str] = frozenset()
        self._lanes: tuple[Lane, ...] = ()

    def follow(self, snapshot: Snapshot) -> Mapping[int, UserError]:
        """Take what the parameters say. Returns why a modulator stands still, by its number: its target cannot move."""
        refused: dict[int, UserError] = {}
        with self._lock:
            if snapshot.version <= self._version:
                return refused
            self._version = snapshot.version
            now = self._clock() / 1e9
            before = {each.settings.number: each for each in self._running}
            running = []
            for number in NUMBERS:
                try:
                    settings = read(snapshot, number, self._schema)
                except UserError as error:
                    refused[number] = error
                    continue
                if settings is not None:
                    running.append(_Running(settings, _turns(before.get(number), settings, now)))
            self._running = tuple(running)
            wanted = {each.settings.osc_address for each in running if each.settings.source == "osc"} - {""}
            self._heard = {each: self._heard[each] for each in wanted if each in self._heard}
            self._wanted = frozenset(wanted)
        return refused

    def hear(self, sender_address: str, arguments: tuple[object, ...]) -> bool:
        """Take a message that is none of the show's own; whether a modulator listens to it."""
        if sender_address not in self._wanted:
            return False
        number = next((each for each in arguments if isinstance(each, (int, float))), None)
        if number is not None and number == number and abs(number) < 1e9:
            with self._lock:
                self._heard[sender_address] = float(number)
        return True

    def lane(self, applies: str, ahead_s: Callable[[], float] = float, period_s: float = 0.0) -> Lane:
        """A reader. applies: of the parameters that it reads. ahead_s: how long after now they are seen. period_s: its
        values hold so long, for a reader that asks all the time."""
        made = Lane(self, applies, ahead_s, period_s)
        with self._lock:
            self._lanes = (*self._lanes, made)
        return made

    def live(self) -> dict[str, Value]:
        """The values of all targets now, by address."""
        return {target: value for lane in self._lanes for target, value in lane.live.items()}

    def figures(self) -> dict[str, float]:
        """For the status: the value of each one's target, 0 while it is off."""
        live, running = self.live(), {each.settings.number: each.settings.target.address for each in self._running}
        found = {number: live.get(running.get(number, ""), 0.0) for number in NUMBERS}
        return {
            f"{FAMILY}_{number}": round(float(value), 4) if isinstance(value, (int, float)) else 0.0
            for number, value in found.items()
        }

    def now(self) -> float:
        """The moment in seconds."""
        return self._clock() / 1e9

    def world(self, ahead: float) -> World:
        """What the sources see now, for a reader whose values are seen so many seconds later."""
        with self._lock:
            heard = MappingProxyType(dict(self._heard))
        return World(self.now(), self._beat(), heard, ahead, self._sound())

    def moving(self, applies: str) -> tuple[_Running, ...]:
        """Those that move such a parameter."""
        return tuple(each for each in self._running if each.settings.target.applies == applies)


class Lane:
    """Adds the modulators to the snapshots of one reader. For one thread."""

    def __init__(self, modulators: Modulators, applies: str, ahead_s: Callable[[], float], period_s: float) -> None:
        """See `Modulators.lane`."""
        self._modulators = modulators
        self._applies = applies
        self._ahead_s = ahead_s
        self._period_s = period_s
        self._due: tuple[float, tuple[_Running, ...]] = 0.0, ()
        self._slews = {number: Slew() for number in NUMBERS}
        self._amounts: dict[str, float] = {}
        self.live: Mapping[str, Value] = {}
        """The values of the targets, by address; replaced whole, so any thread may read it."""

    def __call__(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with what the modulators add, at the moment when it is seen; itself if none moves anything."""
        running = self._modulators.moving(self._applies)
        if not running:
            self.live = {}
            return snapshot
        if self._modulators.now() >= self._due[0] or running != self._due[1]:
            world = self._modulators.world(self._ahead_s())
            self._due = world.now + self._period_s, running
            self._amounts = self._added(running, world)
        rows = {each.settings.target.address: each.settings.target for each in running}
        self.live = {target: moved(rows[target], snapshot[target], amount) for target, amount in self._amounts.items()}
        return snapshot.showing(self.live)

    def _added(self, running: tuple[_Running, ...], world: World) -> dict[str, float]:
        """What is added to each target, as a part of its range."""
        amounts: dict[str, float] = {}
        for each in running:
            settings = each.settings

            def at(when: float, each: _Running = each) -> float:
                return level(each.settings, each.turns, world, when - world.now)

            slew = self._slews[settings.number]
            share = slew.to(world.now + world.ahead, at, settings.attack, settings.release)
            amount = settings.low + (settings.high - settings.low) * share
            amounts[settings.target.address] = amounts.get(settings.target.address, 0.0) + amount
        return amounts


def _turns(before: _Running | None, settings: Settings, now: float) -> Turns:
    """Cycles begin when a modulator is switched on, and go on when its rate changes."""
    if before is None:
        return Turns(now, 0.0, settings.rate)
    return before.turns if before.turns.rate == settings.rate else before.turns.moved(now, settings.rate)
