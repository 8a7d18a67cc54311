"""Plays the cue list: by Go, by name, and by itself after a time, at a time, on a beat or on timecode.

The OSC thread plays; `figures` and the show's clock are for any thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple, cast

from streamvace.control.beats import BEATS_A_BAR
from streamvace.control.cue_list import CueList, Loop
from streamvace.control.cue_times import Clock
from streamvace.control.cues import Cue
from streamvace.control.parameters import Change, Parameters
from streamvace.control.show_clocks import Chase, Place, ShowClock
from streamvace.control.transport import NO_TRANSPORT, Moment
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError

FADE_TIME: Final = "/streamvace/fade_time"
AUTO_FOLLOW: Final = "/streamvace/auto_follow"
LOOP: Final = "/streamvace/cue_loop"

GO_GUARD_S: Final = 0.3
"""A second Go within this is a switch that bounces or a finger that slips: nobody plays two cues so fast."""
SHORTEST_LOOK_S: Final = 0.005
"""Between two looks at a clock whose next cue is about to come."""


class Due(NamedTuple):
    """What has come by itself. name: of the cue. on_time: it has a time of its own, so it waits for no beat."""

    name: str
    changes: tuple[Change, ...]
    on_time: bool


class _Waiting(NamedTuple):
    """A cue between its recall and the beginning of its fade."""

    begins_ns: int
    cue: Cue
    seconds: float


class CuePlayer:
    """What was recalled, what waits, and what comes next."""

    def __init__(
        self,
        parameters: Parameters,
        cues: CueList,
        clock: Callable[[], int] = now_ns,
        *,
        moment: Callable[[], Moment] = lambda: NO_TRANSPORT,
        timecode: Callable[[], Place | None] = lambda: None,
        look_ahead_s: Callable[[], float] = float,
    ) -> None:
        """moment: the transport now. timecode: where the MIDI timecode is; None without one, and while it runs
        backwards. look_ahead_s: how many seconds early a cue must be recalled to be seen on time."""
        self.cues = cues
        self.show_clock = ShowClock(clock)
        self._parameters = parameters
        self._clock = clock
        self._moment = moment
        self._look_ahead_s = look_ahead_s
        self._places: dict[Clock, Callable[[], Place | None]] = {
            "show": self.show_clock.place,
            "bar": self._bars,
            "timecode": timecode,
        }
        self._chases: dict[Clock, Chase] = {name: Chase() for name in self._places}
        self._known: dict[Clock, tuple[Cue, ...]] = {name: cues.timed(name) for name in self._places}
        self._times: dict[Clock, tuple[tuple[Cue, ...], int, tuple[tuple[float, Cue], ...]]] = {}
        self._went_ns: int | None = None
        self._faded = 0, 0.0  # when a fade began last, and the seconds that it takes
        self._waiting: _Waiting | None = None
        self._follows_ns: int | None = None

    def recall(self, key: object, seconds: float | None = None) -> tuple[Change, ...]:
        """Recall a cue by name or number. seconds: of this fade; None for those that rule. Returns what to set now:
        nothing while the cue waits. Raises UserError for an unknown cue."""
        return self._by_hand(self.cues.recall(key), seconds)

    def go(self) -> tuple[Change, ...]:
        """Recall the next cue. Raises UserError without one, and for a second press that comes too soon."""
        now = self._clock()
        since_s = math.inf if self._went_ns is None else (now - self._went_ns) / 1e9
        if since_s < GO_GUARD_S:
            raise UserError(f"pressed again after {since_s:.2f} s; the next go counts after {GO_GUARD_S} s")
        self._went_ns = now
        return self._by_hand(self.cues.go(self._loop))

    def back(self) -> tuple[Change, ...]:
        """Recall the cue before. Raises UserError without one."""
        return self._by_hand(self.cues.back(self._loop))

    def revert(self) -> tuple[Change, ...]:
        """The current cue again, at once and without its wait. Raises UserError without one."""
        return self._begin(replace(self.cues.last(), wait=0.0), 0.0)

    def step_standby(self, steps: int) -> None:
        """Let the cue stand by that is one further (1) or one back (-1). Raises UserError without cues."""
        self.cues.stand_by_beside(steps, self._loop)

    def stop(self) -> None:
        """Nothing that waits or would follow comes any more, and the show's clock stands."""
        self._waiting = self._follows_ns = None
        self.show_clock.stop()

    def due(self) -> list[Due]:
        """What has come by itself since the last call."""
        now, found = self._clock(), []
        if self._waiting is not None and now >= self._waiting.begins_ns:
            _, cue, seconds = self._waiting
            self._waiting = None
            found.append(Due(cue.name, self._fade(cue, seconds), on_time=False))
        if self._follows_ns is not None and now >= self._follows_ns:
            self._follows_ns = None
            following = self.cues.after(self._loop)
            if self._by_themselves and following is not None:
                found.append(Due(following.name, self.recall(following.name), on_time=False))
        for clock, chase in self._chases.items():
            place = self._place(clock)
            ahead = None if place is None else place.ahead(self._look_ahead_s())
            if self._is_edited(clock):  # nothing comes because somebody writes down a time that is over
                chase.passed(ahead)
                continue
            times = self._timed(clock, place)
            index = chase.look(ahead, [each for each, _ in times])
            if index is not None and self._by_themselves:
                name = times[index][1].name
                found.append(Due(name, self._begin(self.cues.recall(name), None), on_time=True))
        return found

    def wait_s(self) -> float | None:
        """Seconds until something may be due; None while nothing comes by itself."""
        now = self._clock()
        dues = [self._follows_ns, None if self._waiting is None else self._waiting.begins_ns]
        waits = [max(0.0, (due - now) / 1e9) for due in dues if due is not None]
        waits += [max(SHORTEST_LOOK_S, seconds - self._look_ahead_s()) for seconds, _ in self._coming_on_clocks()]
        return min(waits, default=None)

    def figures(self) -> dict[str, str | float]:
        """For the status; times in seconds."""
        now = self._clock()
        began_ns, seconds = self._faded
        left_s = max(0.0, seconds - (now - began_ns) / 1e9)
        following, waiting, place = self.cues.after(self._loop), self._waiting, self.show_clock.place()
        coming_s, coming = min(self._coming(now), default=(0.0, ""))
        return {
            "cue": self.cues.current,
            "cue_next": "" if following is None else following.name,
            "cue_next_fade": 0.0 if following is None else self._seconds(following),
            "cue_fade": seconds if left_s > 0 else 0.0,
            "cue_left": round(left_s, 1),
            "cue_waits": 0.0 if waiting is None else round(max(0.0, (waiting.begins_ns - now) / 1e9), 1),
            "cue_coming": coming,
            "cue_follows_in": round(coming_s, 1),
            "cue_clock": 0.0 if place is None else round(place.at, 1),
        }

    @property
    def _loop(self) -> Loop:
        return cast(Loop, self._parameters.snapshot().text(LOOP))

    @property
    def _by_themselves(self) -> bool:
        return self._parameters.snapshot().flag(AUTO_FOLLOW)

    def _by_hand(self, cue: Cue, seconds: float | None = None) -> tuple[Change, ...]:
        """A recall that moves the show's clock to where the cue belongs, so that those after it keep their distance."""
        if cue.at is not None and cue.at.clock == "show":
            at = cue.at.place(1)
            self.show_clock.move(at - self._look_ahead_s())
            self._chases["show"].passed(at)
        return self._begin(cue, seconds)

    def _begin(self, cue: Cue, seconds: float | None) -> tuple[Change, ...]:
        """Start the cue's wait, or its fade. It replaces whatever waits."""
        now = self._clock()
        seconds = self._seconds(cue) if seconds is None else seconds
        self._follows_ns = None if cue.follow is None else now + round((cue.wait + cue.follow) * 1e9)
        self._waiting = _Waiting(now + round(cue.wait * 1e9), cue, seconds) if cue.wait else None
        return () if cue.wait else self._fade(cue, seconds)

    def _fade(self, cue: Cue, seconds: float) -> tuple[Change, ...]:
        self._faded = self._clock(), seconds
        return cue.changes(seconds)

    def _seconds(self, cue: Cue) -> float:
        """The fade time that rules: the show's and, while that is 0, the cue's own."""
        return self._parameters.snapshot().number(FADE_TIME) or cue.fade.seconds

    def _place(self, clock: Clock) -> Place | None:
        """Where a clock is. One that no cue needs is not asked."""
        return self._places[clock]() if self.cues.timed(clock) else None

    def _is_edited(self, clock: Clock) -> bool:
        """Whether the times of this clock's cues have changed since the last call."""
        before, now = self._known[clock], self.cues.timed(clock)
        self._known[clock] = now
        return now is not before and [(cue.name, cue.at) for cue in now] != [(cue.name, cue.at) for cue in before]

    def _bars(self) -> Place | None:
        moment = self._moment()
        if moment.master == "none":
            return None
        speed = moment.tempo / 60 if moment.running else 0.0
        return Place(moment.beat, speed, self._parameters.snapshot().integer(BEATS_A_BAR))

    def _timed(self, clock: Clock, place: Place | None) -> tuple[tuple[float, Cue], ...]:
        """The cues of a clock with their times on it, in the order of these."""
        if place is None:
            return ()
        cues = self.cues.timed(clock)
        before = self._times.get(clock)
        if before is not None and before[0] is cues and before[1] == place.unit:
            return before[2]
        timed = tuple(sorted(((cue.at.place(place.unit), cue) for cue in cues if cue.at), key=lambda each: each[0]))
        self._times[clock] = cues, place.unit, timed
        return timed

    def _coming_on_clocks(self) -> list[tuple[float, str]]:
        """The next cue of every clock that runs: seconds until it is seen, and its name."""
        found = []
        for clock in self._chases:
            place = self._place(clock)
            if place is None or not place.speed:
                continue
            ahead = place.ahead(self._look_ahead_s())
            later = next(((at, cue.name) for at, cue in self._timed(clock, place) if at > ahead), None)
            if later is not None:
                found.append(((later[0] - place.at) / place.speed, later[1]))
        return found

    def _coming(self, now: int) -> list[tuple[float, str]]:
        """Every cue that will come by itself as things stand: seconds until then, and its name."""
        if not self._by_themselves:
            return []
        found = self._coming_on_clocks()
        following = self.cues.after(self._loop)
        if self._follows_ns is not None and following is not None:
            found.append((max(0.0, (self._follows_ns - now) / 1e9), following.name))
        return found
