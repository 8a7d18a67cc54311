"""Messages that do something instead of setting one value: cues, and `/to` fades. OSC thread only."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from osc_schema import Parameter
from streamvace.control.coercion import pressed, show
from streamvace.control.cue_list import CueList
from streamvace.control.cue_timer import CueTimer
from streamvace.control.cues import CUE_WRITER, MOST_CUES, Cue, check_follow, check_name, look
from streamvace.control.fades import parse_fade
from streamvace.control.parameters import PROMPT, Change, Parameters
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError

Arguments = tuple[object, ...]

CUE: Final = "/streamvace/cue"
FADE_TIME: Final = "/streamvace/fade_time"

GO_GUARD_S: Final = 0.3
"""A second Go within this is a switch that bounces or a finger that slips: nobody plays two cues so fast."""


class Commands:
    """Turns a command into changes, in order, or carries it out."""

    def __init__(
        self,
        parameters: Parameters,
        cues: CueList,
        load: Callable[[], None] = lambda: None,
        take_picture: Callable[[frozenset[str]], str] = lambda kept: "",
        clock: Callable[[], int] = now_ns,
        more: Mapping[str, Callable[[Arguments], None]] = MappingProxyType({}),
        timer: CueTimer | None = None,
    ) -> None:
        """load: starts reading the cue file again, without waiting for it. take_picture: keeps the picture on show and
        those given, and returns its name, without waiting for it either. more: what other addresses do; each raises
        UserError for arguments that it cannot take. timer: told of every cue that is recalled."""
        self.cues = cues
        self._take_picture = take_picture
        self._recalled = 0, 0.0  # when a cue was recalled last, and the seconds that it takes
        self._clock = clock
        self._went_ns: int | None = None
        self._timer = timer or CueTimer(clock)
        self._load_cues = load
        self._parameters = parameters
        self._fading = {f"{row.address}/to": row for row in parameters.schema.values() if _can_glide(row)}
        self._sets: dict[str, Callable[[Arguments], tuple[Change, ...]]] = {
            f"{CUE}/recall": self._recall,
            f"{CUE}/go": self._go,
            f"{CUE}/back": self._back,
            f"{CUE}/revert": self._revert,
        }
        self._does: dict[str, Callable[[Arguments], None]] = {
            f"{CUE}/store": self._store,
            f"{CUE}/delete": self._delete,
            f"{CUE}/rename": self._rename,
            f"{CUE}/move": self._move,
            f"{CUE}/fade": self._set_fade,
            f"{CUE}/follow": self._set_follow,
            f"{CUE}/standby": self._stand_by,
            f"{CUE}/undo": self._undo,
            f"{CUE}/load": self._load,
            **more,
        }

    def figures(self) -> dict[str, str | float]:
        """For the status: the current cue, the next one and its fade time, and the fade that is running, in seconds."""
        began_ns, seconds = self._recalled
        left_s = max(0.0, seconds - (self._clock() - began_ns) / 1e9)
        following = self.cues.next
        return {
            "cue": self.cues.current,
            "cue_next": "" if following is None else following.name,
            "cue_next_fade": 0.0 if following is None else self._seconds(following),
            "cue_fade": seconds if left_s > 0 else 0.0,
            "cue_left": round(left_s, 1),
            "cue_follows_in": round(self._timer.left_s(), 1),
        }

    @property
    def glides(self) -> tuple[str, ...]:
        """The addresses that fade a parameter."""
        return tuple(self._fading)

    @property
    def addresses(self) -> tuple[str, ...]:
        """All of them."""
        return (*self._sets, *self._does, *self._fading)

    def known(self, address: str) -> bool:
        """Whether this is a command."""
        return address in self._sets or address in self._does or address in self._fading

    def acts(self, address: str) -> bool:
        """Whether everything sent before it must be applied first: it reads the current values."""
        return address in self._does

    def changes(self, address: str, arguments: Arguments) -> tuple[Change, ...]:
        """The changes of a command, to be applied in one bundle; none for a command that acts.

        Raises UserError, one line with the received and the accepted arguments.
        """
        if address in self._does:
            self._does[address](arguments)
            return ()
        if address in self._sets:
            return self._sets[address](arguments)
        return (self._to(self._fading[address], arguments),)

    def _to(self, row: Parameter, arguments: Arguments) -> Change:
        """`VALUE SECONDS [CURVE]`."""
        if len(arguments) not in (2, 3):
            raise UserError(f"takes a value, seconds and an optional curve, got {show(arguments)}")
        fade = parse_fade(*arguments[1:])
        coerced = self._parameters.check(row.address, arguments[:1])
        if coerced.value is None:
            raise UserError(coerced.line)
        return Change(coerced, CUE_WRITER, fade)

    def _recall(self, arguments: Arguments) -> tuple[Change, ...]:
        name, seconds = _name_and_seconds(arguments)
        return self._fading_to(self.cues.recall(name), seconds)

    def _go(self, arguments: Arguments) -> tuple[Change, ...]:
        if not button_pressed(arguments):
            return ()
        now = self._clock()
        since_s = math.inf if self._went_ns is None else (now - self._went_ns) / 1e9
        if since_s < GO_GUARD_S:
            raise UserError(f"pressed again after {since_s:.2f} s; the next go counts after {GO_GUARD_S} s")
        self._went_ns = now
        return self._fading_to(self.cues.go(), None)

    def _back(self, arguments: Arguments) -> tuple[Change, ...]:
        return self._fading_to(self.cues.back(), None) if button_pressed(arguments) else ()

    def _revert(self, arguments: Arguments) -> tuple[Change, ...]:
        return self._fading_to(self.cues.last(), 0.0) if button_pressed(arguments) else ()

    def _fading_to(self, cue: Cue, seconds: float | None) -> tuple[Change, ...]:
        """seconds: of this recall; None for those that rule."""
        seconds = self._seconds(cue) if seconds is None else seconds
        self._recalled = self._clock(), seconds
        self._timer.recalled(cue.follow)
        return cue.changes(seconds)

    def _seconds(self, cue: Cue) -> float:
        """The fade time that rules: the show's and, while that is 0, the cue's own."""
        return self._parameters.snapshot().number(FADE_TIME) or cue.fade.seconds

    def _store(self, arguments: Arguments) -> None:
        name, seconds = _name_and_seconds(arguments)
        values = look(self._parameters.snapshot(), self._parameters.schema)
        check_name(name)
        self.cues.store(name, values, seconds, self._take_picture(self.cues.pictures))

    def _load(self, arguments: Arguments) -> None:
        if button_pressed(arguments):
            self._load_cues()

    def _delete(self, arguments: Arguments) -> None:
        if len(arguments) != 1:
            raise UserError(f"takes the name of a cue, got {show(arguments)}")
        self.cues.delete(arguments[0])

    def _rename(self, arguments: Arguments) -> None:
        """`[NAME] NEW`; without a name the current cue."""
        if len(arguments) not in (1, 2):
            raise UserError(f"takes the name of a cue and its new name, got {show(arguments)}")
        self.cues.rename(arguments[0] if len(arguments) == 2 else self.cues.last().name, arguments[-1])

    def _move(self, arguments: Arguments) -> None:
        """`NAME [PLACE]`; without a place to the top."""
        place = arguments[1] if len(arguments) == 2 else 1
        if len(arguments) not in (1, 2) or isinstance(place, bool) or not isinstance(place, (int, float)):
            raise UserError(f"takes the name of a cue and its place, counted from 1, got {show(arguments)}")
        if place != place or abs(place) > MOST_CUES:
            raise UserError(f"a cue's place is 1 to {MOST_CUES}, got {show(place)}")
        self.cues.move(arguments[0], round(place))

    def _set_fade(self, arguments: Arguments) -> None:
        """`NAME [SECONDS]`; without seconds the show's fade time."""
        name, seconds = _name_and_seconds(arguments)
        self.cues.set_fade(name, self._parameters.snapshot().number(FADE_TIME) if seconds is None else seconds)

    def _set_follow(self, arguments: Arguments) -> None:
        """`NAME [SECONDS]`; without seconds the cue waits for Go."""
        if len(arguments) not in (1, 2):
            raise UserError(f"takes the name of a cue and optional seconds, got {show(arguments)}")
        self.cues.set_follow(arguments[0], check_follow(arguments[1]) if len(arguments) == 2 else None)

    def _stand_by(self, arguments: Arguments) -> None:
        if len(arguments) != 1:
            raise UserError(f"takes the name of a cue, got {show(arguments)}")
        self.cues.stand_by(arguments[0])

    def _undo(self, arguments: Arguments) -> None:
        if button_pressed(arguments):
            self.cues.undo()


def _can_glide(row: Parameter) -> bool:
    return row.access == "write" and (row.type == "float" or row.address == PROMPT)


def button_pressed(arguments: Arguments) -> bool:
    """Whether a button was pressed. Raises UserError for arguments that no button sends."""
    fires = pressed(arguments)
    if fires is None:
        raise UserError(f"takes nothing, 1 or true, got {show(arguments)}")
    return fires


def _name_and_seconds(arguments: Arguments) -> tuple[object, float | None]:
    if len(arguments) not in (1, 2):
        raise UserError(f"takes the name of a cue and optional seconds, got {show(arguments)}")
    return arguments[0], parse_fade(arguments[1]).seconds if len(arguments) == 2 else None
