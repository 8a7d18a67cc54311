"""The cues of a running show: all of them, the current one and the next one.

Threads: the OSC thread stores, recalls and deletes, the cue file's thread replaces; one lock. Any thread may read:
the lists are immutable and replaced as a whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal

from osc_schema import Value
from streamvace.control.coercion import Coerced, show
from streamvace.control.cue_times import Clock, as_number, plain
from streamvace.control.cues import MOST_CUES, Cue, check_name
from streamvace.system.clock import now_ns
from streamvace.system.errors import UserError

UNDO_S = 10.0
"""For so long the last change of the list can be undone: time to see what is gone, not a second history."""

Loop = Literal["all", "yours", "off"]
"""What comes after the last cue: the first of all, the first of the user's own, or nothing after the user's last."""

NO_CUES: Final = "there are no cues yet; store one, or name a file with --cues"

_NAMES_SHOWN = 5


@dataclass(frozen=True)
class _Before:
    """The list before its newest change, and when that was."""

    own: dict[str, Cue]
    current: str
    position: int
    changed_ns: int


class CueList:
    """The user's cues in the order of the file, then the built-in cues with other names."""

    def __init__(
        self,
        cues: tuple[Cue, ...] = (),
        built_in: tuple[Cue, ...] = (),
        save: Callable[[tuple[Cue, ...]], None] = lambda cues: None,
        clock: Callable[[], int] = now_ns,
    ) -> None:
        """save: called with the user's cues after every change; must not block."""
        self._own = _by_name(cues)
        self._built_in = _by_name(built_in)
        self._save = save
        self._clock = clock
        self._before: _Before | None = None
        self._lock = threading.RLock()
        self._merge()
        self._current = ""
        self._position = -1  # of the current cue; once it is deleted, where it was
        self._standby = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every cue, in the order of `go`."""
        return self._names

    @property
    def current(self) -> str:
        """The cue recalled last; empty before the first recall."""
        return self._current

    def after(self, loop: Loop = "all") -> Cue | None:
        """The cue that `go` recalls next; None without cues and behind the end."""
        with self._lock:
            if self._standby in self._all:
                return self._all[self._standby]
            return self._beside(self._current, 1, loop)

    def before(self, loop: Loop = "all") -> Cue | None:
        """The cue that `back` recalls; None without cues and at the beginning of a list that does not loop."""
        with self._lock:
            return self._beside(self._current, -1, loop)

    @property
    def following(self) -> str:
        """The name of the next cue of a list that loops over all; empty without cues."""
        following = self.after()
        return "" if following is None else following.name

    def timed(self, clock: Clock) -> tuple[Cue, ...]:
        """The cues that come by themselves on this clock, in their order; the same object until they change."""
        return self._timed.get(clock, ())

    @property
    def pictures(self) -> frozenset[str]:
        """The pictures of all cues, and of those that `undo` can bring back."""
        with self._lock:
            cues = (*self._own.values(), *(self._before.own.values() if self._before is not None else ()))
        return frozenset(cue.picture for cue in cues if cue.picture)

    def tiles(self) -> list[dict[str, object]]:
        """For the page: name, number, whether it is the user's own, times as in the file, and picture of every cue."""
        with self._lock:
            return [
                {
                    "name": cue.name,
                    "number": None if cue.number is None else plain(cue.number),
                    "own": cue.name in self._own,
                    "wait": cue.wait,
                    "fade": cue.fade.seconds,
                    "follow": cue.follow,
                    "at": None if cue.at is None else cue.at.written(),
                    "picture": cue.picture,
                }
                for cue in self._all.values()
            ]

    def values(self, key: object) -> dict[str, Value]:
        """What a cue sets, by address. Raises UserError for an unknown cue."""
        with self._lock:
            cue = self._all[self.find(key)]
        return {address: held.value for address, held in cue.values.items() if held.value is not None}

    def find(self, key: object) -> str:
        """The name of the cue that somebody means: by its name or, with a number, by its number.

        Raises UserError for an unknown cue.
        """
        if isinstance(key, str) and (name := check_name(key)) in self._all:
            return name
        number = as_number(key)
        found = [cue.name for cue in self._all.values() if number is not None and cue.number == number]
        if not found:
            asked = repr(check_name(key)) if number is None else show(key)
            raise UserError(f"there is no cue {asked}; there are {_some(self.names)}")
        return found[0]

    def recall(self, key: object) -> Cue:
        """The cue of this name or number, which becomes the current one. Raises UserError for an unknown one."""
        with self._lock:
            wanted = self.find(key)
            self._current, self._position, self._standby = wanted, self.names.index(wanted), ""
            return self._all[wanted]

    def stand_by(self, key: object) -> None:
        """Let the next `go` recall this cue, instead of the one after the current. Nothing is recalled now.

        Raises UserError for an unknown name or number.
        """
        with self._lock:
            self._standby = self.find(key)

    def stand_by_beside(self, steps: int, loop: Loop = "all") -> None:
        """Move the cue that stands by: 1 on, -1 back. At an end of the list it stays. Raises UserError without cues."""
        with self._lock:
            if not self._all:
                raise UserError(NO_CUES)
            standing = self.after(loop)
            if standing is not None:
                beside = self._beside(standing.name, steps, loop)
            else:  # behind the end: back from there is the last one, which is the current one
                beside = self._all.get(self._current) if steps < 0 else None
            if beside is not None:
                self._standby = beside.name

    def go(self, loop: Loop = "all") -> Cue:
        """Recall the next cue. Raises UserError without cues, and behind the end."""
        with self._lock:
            return self.recall(self._there(self.after(loop), "no cue comes after the last one").name)

    def back(self, loop: Loop = "all") -> Cue:
        """Recall the cue before the current one. Raises UserError without cues, and at the beginning."""
        with self._lock:
            return self.recall(self._there(self.before(loop), "no cue comes before the first one").name)

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

    def store(
        self, name: object, values: Mapping[str, Coerced], seconds: float | None = None, picture: str = ""
    ) -> Cue:
        """Store values under a name, in the place of the user's cue of that name or at the end, and make it current.

        seconds: the fade time; None keeps the cue's. picture: see Cue. The cue keeps its note, and the curves of
        addresses in `values`.
        Raises UserError for an invalid name and when the list is full.
        """
        wanted = check_name(name)
        with self._lock:
            before = self._all.get(wanted) or Cue(wanted, MappingProxyType({}))
            fade = before.fade if seconds is None else replace(before.fade, seconds=seconds)
            curves = {address: curve for address, curve in before.curves.items() if address in values}
            stored = replace(
                before,
                values=MappingProxyType(dict(values)),
                fade=fade,
                curves=MappingProxyType(curves),
                picture=picture,
            )
            if wanted not in self._own and len(self._own) >= MOST_CUES:
                raise UserError(f"{len(self._own)} cues; the limit is {MOST_CUES}; delete one first")
            self._change(self._own | {wanted: stored})
            return self.recall(wanted)

    def replace(self, cues: tuple[Cue, ...]) -> None:
        """Replace the user's cues by those read from the file, without saving them."""
        with self._lock:
            self._own = _by_name(cues)
            self._before = None
            self._merge()

    def rename(self, name: object, new: object) -> None:
        """Give one of the user's cues another name. Raises UserError for a built-in, unknown or taken name."""
        with self._lock:
            old, wanted = self._own_name(name, "renamed"), check_name(new)
            if wanted in self._all and wanted != old:
                raise UserError(f"there is a cue {wanted!r} already; delete it first, or take another name")
            renamed = (replace(cue, name=wanted) if cue.name == old else cue for cue in self._own.values())
            self._change(_by_name(tuple(renamed)), current=wanted if self._current == old else self._current)

    def move(self, name: object, place: int) -> None:
        """Move one of the user's cues to a place in the list, counted from 1. Raises UserError."""
        with self._lock:
            moved = self._own[self._own_name(name, "moved")]
            if not 1 <= place <= len(self._own):
                raise UserError(f"a cue's place is 1 to {len(self._own)}, got {place}")
            others = [cue for cue in self._own.values() if cue is not moved]
            self._change(_by_name((*others[: place - 1], moved, *others[place - 1 :])))

    def edit(self, name: object, change: Callable[[Cue], Cue]) -> None:
        """Change one of the user's cues, but not its name. Nothing is recalled. Raises UserError."""
        with self._lock:
            changed = change(self._own[self._own_name(name, "changed")])
            for other in self._all.values():
                if changed.number is not None and other.number == changed.number and other.name != changed.name:
                    raise UserError(f"cue {other.name!r} has the number {changed.number:g}; take another number")
            self._change(self._own | {changed.name: changed})

    def undo(self) -> None:
        """Bring the list back as it was before the newest change. Raises UserError after UNDO_S."""
        with self._lock:
            before = self._before
            if before is None or self._clock() - before.changed_ns > UNDO_S * 1e9:
                raise UserError(f"no cue was changed in the last {UNDO_S:.0f} s")
            self._change(before.own, current=before.current)
            self._before, self._position = None, before.position

    def delete(self, name: object) -> None:
        """Delete one of the user's cues. Raises UserError for a built-in or unknown cue."""
        with self._lock:
            wanted = self._own_name(name, "deleted")
            before = self._position - (self.names.index(wanted) <= self._position)
            self._change({name: cue for name, cue in self._own.items() if name != wanted})
            self._position = before

    def _own_name(self, key: object, what: str) -> str:
        """The name of one of the user's cues. what: happens to it. Raises UserError for any other."""
        wanted = self.find(key)
        if wanted in self._own:
            return wanted
        fix = "" if what == "deleted" else " Store it first."
        raise UserError(f"{wanted!r}: Built-in look; can't be {what}.{fix}")

    def _merge(self) -> None:
        """The user's cues come first, and replace the built-in ones of the same name."""
        self._all = self._own | self._built_in | self._own
        self._names = tuple(self._all)
        timed: dict[Clock, tuple[Cue, ...]] = {}
        for cue in self._all.values():
            if cue.at is not None:
                timed[cue.at.clock] = (*timed.get(cue.at.clock, ()), cue)
        self._timed = timed

    def _beside(self, name: str, steps: int, loop: Loop) -> Cue | None:
        """The cue after (1) or before (-1) the one of this name; of a deleted one, of where it was."""
        ring = self._names if loop == "all" or not self._own else tuple(self._own)
        if not ring:
            return None
        if name in ring:
            place = ring.index(name) + steps
        elif name in self._names:  # a built-in look, while the list is the user's own cues
            place = 0 if steps > 0 else len(ring) - 1
        else:
            place = self._position + (steps > 0)
        if 0 <= place < len(ring):
            return self._all[ring[place]]
        return None if loop == "off" else self._all[ring[0 if place >= len(ring) else -1]]

    def _there(self, cue: Cue | None, end: str) -> Cue:
        if cue is None:
            raise UserError(f"{end}; /streamvace/cue_loop is off" if self._all else NO_CUES)
        return cue

    def _change(self, own: dict[str, Cue], current: str | None = None) -> None:
        """current: the name of the current cue from now on, if it changes."""
        self._before = _Before(self._own, self._current, self._position, self._clock())
        self._own = own
        self._current = self._current if current is None else current
        self._merge()
        self._save(tuple(own.values()))


def _by_name(cues: tuple[Cue, ...]) -> dict[str, Cue]:
    return {cue.name: cue for cue in cues}


def _some(names: tuple[str, ...]) -> str:
    """The first few, for a one-line message."""
    shown = ", ".join(repr(name) for name in names[:_NAMES_SHOWN])
    return shown + (f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else "") or "none yet"
