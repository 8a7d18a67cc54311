"""Steps through a list of prompts, on beats, on bars or after seconds. OSC thread only; figures for any thread."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from streamvace.control.beats import BEATS_A_BAR
from streamvace.control.fades import Fade
from streamvace.control.parameters import LIST_WRITER, PROMPT, Change, Parameters, Snapshot
from streamvace.control.show_clocks import SLACK
from streamvace.control.transport import NO_TRANSPORT, Moment
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError

FAMILY: Final = "/streamvace/prompt_list"
PROMPTS_IN_TURN, ON, STEP, UNIT, FADE = (f"{FAMILY}/{name}" for name in ("prompts", "on", "step", "unit", "fade"))

SHORTEST_LOOK_S: Final = 0.005
"""Between two looks at a beat that is about to come."""


class Step(NamedTuple):
    """A prompt whose turn has come. on_time: it is on the beat already, so it waits for none."""

    change: Change
    on_time: bool


class _Cell(NamedTuple):
    """The stretch of the transport in which a prompt stays. number: counted from beat 0. beats: how long it is."""

    number: int
    beats: float


class PromptList:
    """Which prompt of the list is shown, and when the next one comes."""

    def __init__(
        self,
        parameters: Parameters,
        clock: Callable[[], int] = now_ns,
        *,
        moment: Callable[[], Moment] = lambda: NO_TRANSPORT,
        look_ahead_s: Callable[[], float] = float,
    ) -> None:
        """moment: the transport now. look_ahead_s: how many seconds early a prompt must be set to be seen on time."""
        self._parameters = parameters
        self._clock = clock
        self._moment = moment
        self._look_ahead_s = look_ahead_s
        self._texts: tuple[str, ...] = ()
        self._shown = -1  # the place of the prompt that was shown last; -1: none of this list yet
        self._plays = False
        self._stepped_ns = 0
        self._cell: _Cell | None = None

    def due(self) -> Step | None:
        """The prompt whose turn has come since the last call."""
        snapshot = self._parameters.snapshot()
        began = self._follow(snapshot)
        if not self._plays:
            return None
        in_seconds = snapshot.text(UNIT) == "seconds"
        if began:
            self._stepped_ns = self._clock()
        if in_seconds:
            came = self._clock() - self._stepped_ns >= snapshot.number(STEP) * 1e9
        else:
            came = self._beat_came(snapshot)
        first = self._shown < 0
        return Step(self._step(snapshot), on_time=not in_seconds and not first) if came or first else None

    def next(self) -> Change:
        """The next prompt of the list, also while it stands. Raises UserError without a list."""
        snapshot = self._parameters.snapshot()
        self._follow(snapshot)
        if not self._texts:
            raise UserError(f"there is no list; send the prompts to {PROMPTS_IN_TURN} first")
        return self._step(snapshot)

    def wait_s(self) -> float | None:
        """Seconds until a prompt may be due; None while none comes."""
        snapshot = self._parameters.snapshot()
        if not self._plays:
            return None
        if snapshot.text(UNIT) == "seconds":
            return max(0.0, snapshot.number(STEP) - (self._clock() - self._stepped_ns) / 1e9)
        moment, cell = self._moment(), self._cell
        if cell is None or not moment.running:
            return None
        left_s = ((cell.number + 1) * cell.beats - moment.beat) * 60 / moment.tempo
        return max(SHORTEST_LOOK_S, left_s - self._look_ahead_s())

    def figures(self) -> dict[str, str]:
        """For the status: the place in the list as people read it; empty without a list."""
        if not self._texts:
            return {"prompt_list": ""}
        unit = self._parameters.snapshot().text(UNIT)
        waits = self._plays and unit != "seconds" and not self._moment().running
        why = "; waits for a tempo that runs" if waits else "" if self._plays else "; off"
        return {"prompt_list": f"{max(self._shown, 0) + 1} of {len(self._texts)}{why}"}

    def _follow(self, snapshot: Snapshot) -> bool:
        """Take what the parameters say; whether the list begins to play, from the start or again."""
        texts = snapshot.texts(PROMPTS_IN_TURN)
        if texts != self._texts:
            # A cue brings its list and the prompt that was shown when it was stored: the list goes on from there.
            prompt = snapshot.text(PROMPT)
            self._texts, self._shown = texts, texts.index(prompt) if prompt in texts else -1
            self._plays = False
        plays = bool(texts) and snapshot.flag(ON)
        began = plays and not self._plays
        self._plays = plays
        if began:
            self._cell = None
        return began

    def _step(self, snapshot: Snapshot) -> Change:
        self._shown = (self._shown + 1) % len(self._texts)
        self._stepped_ns = self._clock()
        seconds = snapshot.number(FADE)
        prompt = self._parameters.check(PROMPT, (self._texts[self._shown],))
        return Change(prompt, LIST_WRITER, Fade(seconds) if seconds else None)

    def _beat_came(self, snapshot: Snapshot) -> bool:
        """Whether the transport has reached another cell, seen from where its pictures are shown."""
        moment = self._moment()
        beats = snapshot.number(STEP) * (snapshot.integer(BEATS_A_BAR) if snapshot.text(UNIT) == "bars" else 1)
        if not moment.running:
            return False
        place = moment.beat + self._look_ahead_s() * moment.tempo / 60
        before, now = self._cell, _Cell(math.floor(place / beats), beats)
        if before is None or before.beats != beats or place < before.number * beats - SLACK:
            self._cell = now  # the beat begins anew, or another step: it counts from here
            return False
        if now.number <= before.number:  # in it still, or nudged back a little
            return False
        self._cell = now
        return True
