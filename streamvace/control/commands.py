"""Messages that do something instead of setting one value: cues, and `/to` fades. OSC thread only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

from osc_schema import Parameter
from streamvace.control.coercion import pressed, show
from streamvace.control.cue_list import CueList
from streamvace.control.cue_player import FADE_TIME, CuePlayer
from streamvace.control.cue_times import check_follow, check_number, check_wait, parse_at
from streamvace.control.cues import CUE_WRITER, MOST_CUES, Cue, check_name, look, with_value
from streamvace.control.fades import parse_fade
from streamvace.control.parameters import PROMPT, Change, Parameters
from streamvace.control.prompt_list import FAMILY, PromptList
from streamvace.system.errors import UserError

Arguments = tuple[object, ...]

CUE: Final = "/streamvace/cue"


class Coming(NamedTuple):
    """What comes by itself, as the message that would do the same. on_time: it has a time of its own, and waits for no
    beat."""

    address: str
    argument: str
    changes: tuple[Change, ...]
    on_time: bool


class Commands:
    """Turns a command into changes, in order, or carries it out."""

    def __init__(
        self,
        parameters: Parameters,
        cues: CueList,
        load: Callable[[], None] = lambda: None,
        take_picture: Callable[[frozenset[str]], str] = lambda kept: "",
        more: Mapping[str, Callable[[Arguments], None]] = MappingProxyType({}),
        player: CuePlayer | None = None,
        prompts: PromptList | None = None,
    ) -> None:
        """load: starts reading the cue file again, without waiting for it. take_picture: keeps the picture on show and
        those given, and returns its name, without waiting for it either. more: what other addresses do; each raises
        UserError for arguments that it cannot take. player, prompts: None plays the cues and the list of prompts on the
        machine's clock, without a transport."""
        self.cues = cues
        self.player = player or CuePlayer(parameters, cues)
        self.prompts = prompts or PromptList(parameters)
        self._take_picture = take_picture
        self._parameters = parameters
        self._fading = {f"{row.address}/to": row for row in parameters.schema.values() if _can_glide(row)}
        self._sets: dict[str, Callable[[Arguments], tuple[Change, ...]]] = {
            f"{CUE}/recall": self._recall,
            f"{CUE}/go": self._go,
            f"{CUE}/back": self._back,
            f"{CUE}/revert": self._revert,
            f"{FAMILY}/next": self._next_prompt,
        }
        self._does: dict[str, Callable[[Arguments], None]] = {
            f"{CUE}/store": self._store,
            f"{CUE}/delete": self._delete,
            f"{CUE}/rename": self._rename,
            f"{CUE}/move": self._move,
            f"{CUE}/fade": self._set_fade,
            f"{CUE}/number": partial(self._edit, "a number", _numbered),
            f"{CUE}/wait": partial(self._edit, "seconds", _waiting),
            f"{CUE}/follow": partial(self._edit, "seconds", _followed),
            f"{CUE}/at": partial(self._edit, "a time", _timed),
            f"{CUE}/set": self._set_value,
            f"{CUE}/standby": self._stand_by,
            f"{CUE}/standby_next": partial(_pressed, partial(self.player.step_standby, 1)),
            f"{CUE}/standby_previous": partial(_pressed, partial(self.player.step_standby, -1)),
            f"{CUE}/start": partial(_pressed, self.player.show_clock.start),
            f"{CUE}/stop": partial(_pressed, self.player.stop),
            f"{CUE}/undo": partial(_pressed, cues.undo),
            f"{CUE}/load": partial(_pressed, load),
            **more,
        }

    def due(self) -> list[Coming]:
        """What has come by itself since the last call."""
        coming = [Coming(f"{CUE}/recall", *each) for each in self.player.due()]
        step = self.prompts.due()
        if step is not None:
            coming.append(Coming(PROMPT, str(step.change.coerced.value), (step.change,), step.on_time))
        return coming

    def wait_s(self) -> float | None:
        """Seconds until something may be due; None while nothing comes by itself."""
        waits = (self.player.wait_s(), self.prompts.wait_s())
        return min((wait for wait in waits if wait is not None), default=None)

    def figures(self) -> dict[str, str | float]:
        """For the status."""
        return {**self.player.figures(), **self.prompts.figures()}

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
        return self.player.recall(*_cue_and_seconds(arguments))

    def _go(self, arguments: Arguments) -> tuple[Change, ...]:
        return self.player.go() if button_pressed(arguments) else ()

    def _back(self, arguments: Arguments) -> tuple[Change, ...]:
        return self.player.back() if button_pressed(arguments) else ()

    def _revert(self, arguments: Arguments) -> tuple[Change, ...]:
        return self.player.revert() if button_pressed(arguments) else ()

    def _next_prompt(self, arguments: Arguments) -> tuple[Change, ...]:
        return (self.prompts.next(),) if button_pressed(arguments) else ()

    def _store(self, arguments: Arguments) -> None:
        name, seconds = _cue_and_seconds(arguments)
        values = look(self._parameters.snapshot(), self._parameters.schema)
        check_name(name)
        self.cues.store(name, values, seconds, self._take_picture(self.cues.pictures))

    def _delete(self, arguments: Arguments) -> None:
        if len(arguments) != 1:
            raise UserError(f"takes the name or number of a cue, got {show(arguments)}")
        self.cues.delete(arguments[0])

    def _rename(self, arguments: Arguments) -> None:
        """`[NAME] NEW`; without a name the current cue."""
        if len(arguments) not in (1, 2):
            raise UserError(f"takes the name or number of a cue and its new name, got {show(arguments)}")
        self.cues.rename(arguments[0] if len(arguments) == 2 else self.cues.last().name, arguments[-1])

    def _move(self, arguments: Arguments) -> None:
        """`NAME [PLACE]`; without a place to the top."""
        place = arguments[1] if len(arguments) == 2 else 1
        if len(arguments) not in (1, 2) or isinstance(place, bool) or not isinstance(place, (int, float)):
            raise UserError(f"takes the name or number of a cue and its place, counted from 1, got {show(arguments)}")
        if place != place or abs(place) > MOST_CUES:
            raise UserError(f"a cue's place is 1 to {MOST_CUES}, got {show(place)}")
        self.cues.move(arguments[0], round(place))

    def _set_fade(self, arguments: Arguments) -> None:
        """`CUE [SECONDS]`; without seconds the show's fade time."""
        cue, given = _cue_and_seconds(arguments)
        seconds = self._parameters.snapshot().number(FADE_TIME) if given is None else given
        self.cues.edit(cue, lambda held: replace(held, fade=replace(held.fade, seconds=seconds)))

    def _edit(self, what: str, change: Callable[[Cue, object], Cue], arguments: Arguments) -> None:
        """`CUE [VALUE]`. what: the value is. change: the cue with this value; None for none."""
        if len(arguments) not in (1, 2):
            raise UserError(f"takes the name or number of a cue and optionally {what}, got {show(arguments)}")
        value = arguments[1] if len(arguments) == 2 else None
        self.cues.edit(arguments[0], lambda held: change(held, value))

    def _set_value(self, arguments: Arguments) -> None:
        """`CUE ADDRESS [VALUE ...]`; without a value the cue leaves the parameter alone. Address and value may be one
        text, for controllers that send no more."""
        if len(arguments) < 2 or not isinstance(arguments[1], str):
            raise UserError(f"takes a cue, an address and optionally a value, got {show(arguments)}")
        address, _, value = arguments[1].strip().partition(" ")
        given = arguments[2:]
        if value and not given:
            given = (_typed(value),)
        change = partial(with_value, key=address, given=given, schema=self._parameters.schema)
        self.cues.edit(arguments[0], change)

    def _stand_by(self, arguments: Arguments) -> None:
        if len(arguments) != 1:
            raise UserError(f"takes the name or number of a cue, got {show(arguments)}")
        self.cues.stand_by(arguments[0])


def _typed(text: str) -> object:
    """A number or a bool if the text is one."""
    if text in ("true", "false"):
        return text == "true"
    try:
        return float(text)
    except ValueError:
        return text


def _numbered(cue: Cue, given: object) -> Cue:
    return replace(cue, number=None if given is None else check_number(given))


def _waiting(cue: Cue, given: object) -> Cue:
    return replace(cue, wait=0.0 if given is None else check_wait(given))


def _followed(cue: Cue, given: object) -> Cue:
    return replace(cue, follow=None if given is None else check_follow(given))


def _timed(cue: Cue, given: object) -> Cue:
    return replace(cue, at=None if given is None else parse_at(given))


def _can_glide(row: Parameter) -> bool:
    return row.access == "write" and (row.type == "float" or row.address == PROMPT)


def button_pressed(arguments: Arguments) -> bool:
    """Whether a button was pressed. Raises UserError for arguments that no button sends."""
    fires = pressed(arguments)
    if fires is None:
        raise UserError(f"takes nothing, 1 or true, got {show(arguments)}")
    return fires


def _pressed(act: Callable[[], None], arguments: Arguments) -> None:
    if button_pressed(arguments):
        act()


def _cue_and_seconds(arguments: Arguments) -> tuple[object, float | None]:
    if len(arguments) not in (1, 2):
        raise UserError(f"takes the name or number of a cue and optional seconds, got {show(arguments)}")
    return arguments[0], parse_fade(arguments[1]).seconds if len(arguments) == 2 else None
