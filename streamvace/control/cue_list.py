"""The cues of a running show: which there are, which is on, which is next.

Threads: the OSC thread stores, recalls and deletes, the cue file's own replaces; one lock. Anyone may read: what is
read is immutable and swapped whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from osc_schema import Value
from streamvace.control.cues import MOST_CUES, Cue, check_name
from streamvace.system.errors import UserError

_NAMES_SHOWN = 5


class CueList:
    """The user's cues in the file's order, then the pipeline's own that have no namesake among them."""

    def __init__(
        self,
        cues: tuple[Cue, ...] = (),
        built_in: tuple[Cue, ...] = (),
        save: Callable[[tuple[Cue, ...]], None] = lambda cues: None,
    ) -> None:
        """save: takes the user's cues after every change; must not wait."""
        self._own = cues
        self._built_in = built_in
        self._save = save
        self._all: dict[str, Cue] = {}
        self._names: tuple[str, ...] = ()
        self._lock = threading.RLock()
        self._gather()
        self._current = ""
        self._position = -1  # of the current cue; where it stood, once it is deleted

    @property
    def names(self) -> tuple[str, ...]:
        """Every cue, in the order in which `go` takes them."""
        return self._names

    @property
    def current(self) -> str:
        """The cue recalled last; empty before the first."""
        return self._current

    @property
    def following(self) -> str:
        """The cue that `go` takes next; empty where there are none."""
        names = self._names
        return names[self._after(names)] if names else ""

    def recall(self, name: object) -> Cue:
        """The cue of that name, which is the current one from now on. Raises UserError."""
        wanted = check_name(name)
        with self._lock:
            if wanted not in self._all:
                raise UserError(f"there is no cue {wanted!r}; there are {_some(self._names)}")
            self._current, self._position = wanted, self._names.index(wanted)
            return self._all[wanted]

    def go(self) -> Cue:
        """The next cue; after the last one the first. Raises UserError where there are none."""
        with self._lock:
            if not self._names:
                raise UserError("there are no cues yet; store one, or name a file with --cues")
            return self.recall(self.following)

    def store(self, name: object, values: Mapping[str, Value], seconds: float | None = None) -> Cue:
        """Keep values under a name: in the place of a cue of that name, else at the end. It is current then.

        seconds: its fade time; None keeps the one that the cue has. A cue's curves and note stay where they still fit.
        Raises UserError.
        """
        wanted = check_name(name)
        with self._lock:
            before = self._all.get(wanted) or Cue(wanted, MappingProxyType({}))
            fade = before.fade if seconds is None else replace(before.fade, seconds=seconds)
            curves = {address: curve for address, curve in before.curves.items() if address in values}
            stored = replace(before, values=MappingProxyType(dict(values)), fade=fade, curves=MappingProxyType(curves))
            if any(cue.name == wanted for cue in self._own):
                self._change(tuple(stored if cue.name == wanted else cue for cue in self._own))
            elif len(self._own) >= MOST_CUES:
                raise UserError(f"{len(self._own)} cues, at most {MOST_CUES} are kept; delete one first")
            else:
                self._change((*self._own, stored))
            return self.recall(wanted)

    def replace(self, cues: tuple[Cue, ...]) -> None:
        """Other cues of the user's, as they stand in the file: nothing is saved."""
        with self._lock:
            self._own = cues
            self._gather()

    def delete(self, name: object) -> None:
        """Forget a cue of the user's. Raises UserError."""
        wanted = check_name(name)
        with self._lock:
            if all(cue.name != wanted for cue in self._own):
                built_in = any(cue.name == wanted for cue in self._built_in)
                raise UserError(
                    f"{wanted!r} came with the model and stays" if built_in else f"there is no cue {wanted!r}"
                )
            position = self.names.index(wanted)
            if position <= self._position:
                self._position -= 1
            self._change(tuple(cue for cue in self._own if cue.name != wanted))

    def _gather(self) -> None:
        self._all = {cue.name: cue for cue in self._own}
        for cue in self._built_in:
            self._all.setdefault(cue.name, cue)
        self._names = tuple(self._all)

    def _after(self, names: tuple[str, ...]) -> int:
        """Counted from where the current cue is now, for a store may have moved it."""
        position = names.index(self._current) if self._current in names else self._position
        return (position + 1) % len(names)

    def _change(self, own: tuple[Cue, ...]) -> None:
        self._own = own
        self._gather()
        self._save(own)


def _some(names: tuple[str, ...]) -> str:
    """The first few, for a one-line message."""
    shown = ", ".join(repr(name) for name in names[:_NAMES_SHOWN])
    return shown + (f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else "") or "none yet"
