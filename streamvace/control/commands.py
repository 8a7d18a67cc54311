"""What is sent to do something rather than to set one value: cues, and parameters sent on their way.

Threads: the OSC thread only. Whatever surface a command comes from, it comes through here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from osc_schema import Parameter
from streamvace.control.coercion import show
from streamvace.control.cue_list import CueList
from streamvace.control.cues import CUE_WRITER, look
from streamvace.control.fades import Fade, refuse_fade
from streamvace.control.parameters import PROMPT, Change, Parameters
from streamvace.system.errors import UserError

Arguments = tuple[object, ...]

CUE: Final = "/streamvace/cue"


class Commands:
    """Turns a command into the changes that it means, in order, or carries it out."""

    def __init__(self, parameters: Parameters, cues: CueList, load: Callable[[], None] = lambda: None) -> None:
        """load: has the cue file read again, without waiting for it."""
        self.cues = cues
        self._load_cues = load
        self._parameters = parameters
        self._on_their_way = {f"{row.address}/to": row for row in parameters.schema.values() if _can_glide(row)}
        self._means: dict[str, Callable[[Arguments], tuple[Change, ...]]] = {
            f"{CUE}/recall": self._recall,
            f"{CUE}/go": self._go,
        }
        self._does: dict[str, Callable[[Arguments], None]] = {
            f"{CUE}/store": self._store,
            f"{CUE}/delete": self._delete,
            f"{CUE}/load": self._load,
        }

    @property
    def glides(self) -> tuple[str, ...]:
        """The addresses that send a parameter on its way."""
        return tuple(self._on_their_way)

    def known(self, address: str) -> bool:
        """Whether this is a command at all."""
        return address in self._means or address in self._does or address in self._on_their_way

    def acts(self, address: str) -> bool:
        """Whether it has to see everything sent before it applied: what it does depends on the values of the moment."""
        return address in self._does

    def changes(self, address: str, arguments: Arguments) -> tuple[Change, ...]:
        """What the command sets, to be applied in one bundle. Carries it out where it sets nothing.

        Raises UserError, one line with what came and what is taken.
        """
        if address in self._does:
            self._does[address](arguments)
            return ()
        if address in self._means:
            return self._means[address](arguments)
        return (self._to(self._on_their_way[address], arguments),)

    def _to(self, row: Parameter, arguments: Arguments) -> Change:
        """`VALUE SECONDS [CURVE]`."""
        if len(arguments) not in (2, 3):
            raise UserError(f"takes a value, seconds and perhaps a curve, got {show(arguments)}")
        problem = refuse_fade(*arguments[1:])
        checked = self._parameters.check(row.address, arguments[:1])
        if problem or checked.value is None:
            raise UserError(problem or checked.line)
        seconds, curve = arguments[1], arguments[2] if len(arguments) == 3 else "linear"
        assert isinstance(seconds, (int, float))
        return Change(row.address, arguments[:1], CUE_WRITER, Fade(float(seconds), str(curve)))

    def _recall(self, arguments: Arguments) -> tuple[Change, ...]:
        name, seconds = _name_and_seconds(arguments)
        return self.cues.recall(name).changes(seconds)

    def _go(self, arguments: Arguments) -> tuple[Change, ...]:
        return self.cues.go().changes() if _pressed(arguments) else ()

    def _store(self, arguments: Arguments) -> None:
        name, seconds = _name_and_seconds(arguments)
        self.cues.store(name, look(self._parameters.snapshot(), self._parameters.schema), seconds)

    def _load(self, arguments: Arguments) -> None:
        if _pressed(arguments):
            self._load_cues()

    def _delete(self, arguments: Arguments) -> None:
        if len(arguments) != 1:
            raise UserError(f"takes the name of a cue, got {show(arguments)}")
        self.cues.delete(arguments[0])


def _can_glide(row: Parameter) -> bool:
    return row.access == "write" and (row.type == "float" or row.address == PROMPT)


def _pressed(arguments: Arguments) -> bool:
    """Whether a button was pressed rather than let go. Raises UserError for what no button sends."""
    pressed = arguments[0] if arguments else True
    if len(arguments) > 1 or not isinstance(pressed, (bool, int, float)) or pressed != pressed:
        raise UserError(f"takes nothing, 1 or true, got {show(arguments)}")
    return pressed >= 0.5


def _name_and_seconds(arguments: Arguments) -> tuple[object, float | None]:
    if len(arguments) not in (1, 2):
        raise UserError(f"takes the name of a cue and perhaps seconds, got {show(arguments)}")
    if len(arguments) == 1:
        return arguments[0], None
    problem = refuse_fade(arguments[1])
    if problem:
        raise UserError(problem)
    seconds = arguments[1]
    assert isinstance(seconds, (int, float))
    return arguments[0], float(seconds)
