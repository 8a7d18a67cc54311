"""One block of shared memory for the pixels of one message.

Ownership: the stage process creates and unlinks, the worker only attaches. At any time one side writes and the other
waits for the message that says so, so there is no lock. Slots are made anew for every worker: a dying one cannot
scribble into its successor's.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterable, Mapping
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory

import numpy as np
from numpy.typing import NDArray

from streamvace.live.worker.messages import Plane

_ALIGN = 64
_MAX_PLANES = 16
"""Arrays of one message whose alignment the slot makes room for."""


class SharedFrames:
    """Named arrays written on one side, copied out on the other."""

    def __init__(self, memory: SharedMemory, *, owned: bool) -> None:
        self._memory = memory
        self._owned = owned

    @classmethod
    def create(cls, nbytes: int) -> SharedFrames:
        """A new slot for at least `nbytes`; this process must `close` it."""
        name = f"streamvace_{os.getpid()}_{secrets.token_hex(4)}"
        if os.name == "posix":
            # The tracker removes what a killed process leaves, but Python tells it only after the memory exists: a kill
            # in between, most likely while the tracker itself is being started, would leave it for ever.
            resource_tracker.register(f"/{name}", "shared_memory")
        return cls(SharedMemory(name, create=True, size=nbytes + _ALIGN * _MAX_PLANES), owned=True)

    @classmethod
    def attach(cls, name: str) -> SharedFrames:
        """The other end of a slot; `close` only lets go of it."""
        # Before 3.13 attaching registers the name with the resource tracker as well. A spawned child shares its
        # parent's tracker, which keeps a set of names, so the parent's unlink clears it once and for all.
        if sys.version_info >= (3, 13):
            return cls(SharedMemory(name=name, track=False), owned=False)
        return cls(SharedMemory(name=name), owned=False)

    @property
    def name(self) -> str:
        """What the other process attaches to."""
        return self._memory.name

    def write(self, arrays: Mapping[str, NDArray[np.uint8]]) -> tuple[Plane, ...]:
        """Copy the arrays in. Raises ValueError with both sizes when they don't fit."""
        planes: list[Plane] = []
        offset = 0
        for name, array in arrays.items():
            planes.append(Plane(name, array.shape, offset))
            offset += -(-array.nbytes // _ALIGN) * _ALIGN
        if offset > self._memory.size:
            raise ValueError(f"pixels need {offset} bytes, the slot holds {self._memory.size}")
        for plane, array in zip(planes, arrays.values(), strict=True):
            self._view(plane)[...] = array
        return tuple(planes)

    def read(self, planes: Iterable[Plane]) -> dict[str, NDArray[np.uint8]]:
        """Copies of the arrays, by name: the slot may be overwritten right after."""
        return {plane.name: self._view(plane).copy() for plane in planes}

    def close(self) -> None:
        """Let go of the memory; the creating side also removes it. Idempotent."""
        self._memory.close()
        if self._owned:
            self._owned = False
            self._memory.unlink()

    def _view(self, plane: Plane) -> NDArray[np.uint8]:
        return np.ndarray(plane.shape, dtype=np.uint8, buffer=self._memory.buf, offset=plane.offset)
