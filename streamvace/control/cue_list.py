"""The cues of a running show: all of them, the current one and the next one.

Threads: the OSC thread stores, recalls and deletes, the cue file's thread replaces; one lock. Any thread may read:
the lists are immutable and replaced as a whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from streamvace.control.coercion import Coerced
from streamvace.control.cues import MOST_CUES, Cue, check_name
from streamvace.system.errors import UserError

_NAMES_SHOWN = 5


class CueList:
    """The user's cues in the order of the file, then the built-in cues with other names."""

    def __init__(
        self,
        cues: tuple[Cue, ...] = (),
        built_in: tuple[Cue, ...] = (),
        save: Callable[[tuple[Cue, ...]], None] = lambda cues: None,
    ) -> None:
        """save: called with the user's cues after every change; must not block."""
        self._own = _by_name(cues)
        self._built_in = _by_name(built_in)
        self._save = save
        self._lock = threading.RLock()
        self._merge()
        self._current = ""
        self._position = -1  # of the current cue; once it is deleted, where it was

    @property
    def names(self) -> tuple[str, ...]:
        """Every cue, in the order of `go`."""
        return self._names

    @property
    def current(self) -> str:
        """The cue recalled last; empty before the first recall."""
        return self._current

    @property
    def following(self) -> str:
        """The cue that `go` recalls next; empty without cues."""
        names = self.names
        return names[self._after(names)] if names else ""

    def recall(self, name: object) -> Cue:
        """The cue of this name, which becomes the current one. Raises UserError for an unknown name."""
        wanted = check_name(name)
        with self._lock:
            if wanted not in self._all:
                raise UserError(f"there is no cue {wanted!r}; there are {_some(self.names)}")
            self._current, self._position = wanted, self.names.index(wanted)
            return self._all[wanted]

    def go(self) -> Cue:
        """Recall the next cue; after the last one the first. Raises UserError without cues."""
        with self._lock:
            if not self._all:
                raise UserError("there are no cues yet; store one, or name a file with --cues")
            return self.recall(self.following)

    def last(self) -> Cue:
        """The current cue. Raises UserError before the first, and when it was deleted."""
        with self._lock:
            if self._current not in self._all:
                raise UserError(
                    "no cue has been recalled or stored yet"
                    if not self._current
                    else f"the cue {self._current!r} is deleted; recall another"
                )
            return self._all[self._current]

    def store(self, name: object, values: Mapping[str, Coerced], seconds: float | None = None) -> Cue:
        """Store values under a name, in the place of the user's cue of that name or at the end, and make it current.

        seconds: the fade time; None keeps the cue's. The cue keeps its note, and the curves of addresses in `values`.
        Raises UserError for an invalid name and when the list is full.
        """
        wanted = check_name(name)
        with self._lock:
            before = self._all.get(wanted) or Cue(wanted, MappingProxyType({}))
            fade = before.fade if seconds is None else replace(before.fade, seconds=seconds)
            curves = {address: curve for address, curve in before.curves.items() if address in values}
            stored = replace(before, values=MappingProxyType(dict(values)), fade=fade, curves=MappingProxyType(curves))
            if wanted not in self._own and len(self._own) >= MOST_CUES:
                raise UserError(f"{len(self._own)} cues; the limit is {MOST_CUES}; delete one first")
            self._change(self._own | {wanted: stored})
            return self.recall(wanted)

    def replace(self, cues: tuple[Cue, ...]) -> None:
        """Replace the user's cues by those read from the file, without saving them."""
        with self._lock:
            self._own = _by_name(cues)
            self._merge()

    def delete(self, name: object) -> None:
        """Delete one of the user's cues. Raises UserError for a built-in or unknown cue."""
        wanted = check_name(name)
        with self._lock:
            if wanted not in self._own:
                built_in = wanted in self._built_in
                raise UserError(
                    f"{wanted!r} is built in and cannot be deleted" if built_in else f"there is no cue {wanted!r}"
                )
            if self.names.index(wanted) <= self._position:
                self._position -= 1
            self._change({name: cue for name, cue in self._own.items() if name != wanted})

    def _merge(self) -> None:
        """The user's cues come first, and replace the built-in ones of the same name."""
        self._all = self._own | self._built_in | self._own
        self._names = tuple(self._all)

    def _after(self, names: tuple[str, ...]) -> int:
        """Counted from where the current cue is now: a store may have moved it."""
        position = names.index(self._current) if self._current in names else self._position
        return (position + 1) % len(names)

    def _change(self, own: dict[str, Cue]) -> None:
        self._own = own
        self._merge()
        self._save(tuple(own.values()))


def _by_name(cues: tuple[Cue, ...]) -> dict[str, Cue]:
    return {cue.name: cue for cue in cues}


def _some(names: tuple[str, ...]) -> str:
    """The first few, for a one-line message."""
    shown = ", ".join(repr(name) for name in names[:_NAMES_SHOWN])
    return shown + (f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else "") or "none yet"
