"""Undo and redo of parameters: steps of changes that belong together. Pure; the store of parameters owns and locks it.

A **step** maps the address of each changed parameter to the value before and the value after. Changes join the newest
step while less than half a second lies between two of them, so a dragged fader is one step. A fade counts as one
change, to its target. Undoing is no change itself: it moves between the steps, and a change after it drops those
undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from osc_schema import Value
from streamvace.system.errors import UserError

DEPTH: Final = 50
"""Steps kept; older ones are forgotten."""

JOIN_S: Final = 0.5
"""Changes closer than this are one step: longer than the pauses of a dragging hand, shorter than a thought."""

Step = dict[str, tuple[Value, Value]]


class History:
    """The steps, and where between them the show stands."""

    def __init__(self) -> None:
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._changed_ns: int | None = None  # of the newest change that may still be joined

    def note(self, changes: Mapping[str, tuple[Value, Value]], now_ns: int) -> None:
        """Note changes that happen together. changes: values before and after, by address; not empty."""
        joins = self._changed_ns is not None and now_ns - self._changed_ns < JOIN_S * 1e9 and bool(self._done)
        step = self._done.pop() if joins else {}
        for address, (before, after) in changes.items():
            first = step[address][0] if address in step else before
            step[address] = first, after
            if first == after:  # back where it began: nothing to undo
                del step[address]
        if step:
            self._done.append(step)
        del self._done[:-DEPTH]
        self._undone.clear()
        self._changed_ns = now_ns if step else None

    def correct(self, address: str, asked: Value, ruling: Value) -> None:
        """`asked`, which the newest step with this address set, was taken back to `ruling`."""
        for number in reversed(range(len(self._done))):
            step = self._done[number]
            if address not in step:
                continue
            before, after = step[address]
            if after == asked:
                step[address] = before, ruling
                if before == ruling:
                    del step[address]
                if not step:
                    del self._done[number]
            return

    def undo(self) -> Mapping[str, Value]:
        """Go back one step: the values to set. Raises UserError at the beginning."""
        if not self._done:
            raise UserError("there is nothing to undo")
        return self._move(self._done, self._undone, 0)

    def redo(self) -> Mapping[str, Value]:
        """Go forward one step that was undone: the values to set. Raises UserError at the end."""
        if not self._undone:
            raise UserError("there is nothing to redo")
        return self._move(self._undone, self._done, 1)

    @property
    def back(self) -> Mapping[str, Value]:
        """The values that `undo` would set, by address."""
        return _side(self._done, 0)

    @property
    def forward(self) -> Mapping[str, Value]:
        """The values that `redo` would set, by address."""
        return _side(self._undone, 1)

    def _move(self, source: list[Step], target: list[Step], side: int) -> Mapping[str, Value]:
        self._changed_ns = None
        values = _side(source, side)
        target.append(source.pop())
        return values


def _side(steps: list[Step], side: int) -> dict[str, Value]:
    """The values before (0) or after (1) the newest step; nothing without one."""
    return {address: values[side] for address, values in steps[-1].items()} if steps else {}
