"""One block of shared memory for the pixels of one record.

Ownership: the stage process creates and unlinks, the worker only attaches. At any time one side writes and the other
waits for the message that says so, so there is no lock. Every worker gets new blocks: a dying worker cannot overwrite
its successor's pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from streamvace.live.worker import shared_block
from streamvace.live.worker.shared_block import Block
from streamvace.records.chunk import Chunk, ChunkInput, Pixels

_ALIGN = 64
_MAX_PLANES = 16
"""Most arrays of one record; the block has room to align each."""

Record = TypeVar("Record", ChunkInput, Chunk)


@dataclass(frozen=True)
class Plane:
    """Where one array lies in a block: uint8 of `shape`, `offset` bytes from the start, the value of field `name`."""

    name: str
    shape: tuple[int, ...]
    offset: int


@dataclass(frozen=True)
class Packed(Generic[Record]):
    """A record as it crosses the pipe: `header` is the record with empty arrays, `planes` say where its arrays lie."""

    header: Record
    planes: tuple[Plane, ...] = ()


def arrays_of(record: ChunkInput | Chunk) -> dict[str, Pixels]:
    """The array fields of a record, by name; fields that are None are left out."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}


class SharedFrames:
    """Packs a record on one side, unpacks it on the other."""

    def __init__(self, memory: Block, *, owned: bool) -> None:
        self._memory = memory
        self._owned = owned

    @classmethod
    def create(cls, nbytes: int) -> SharedFrames:
        """A new block for arrays of `nbytes` in all; this process must `close` it.

        Raises UserError if there is no memory for it.
        """
        return cls(shared_block.create(nbytes + _ALIGN * _MAX_PLANES), owned=True)

    @classmethod
    def attach(cls, name: str) -> SharedFrames:
        """The other end of a block; `close` only detaches from it."""
        return cls(shared_block.attach(name), owned=False)

    @property
    def name(self) -> str:
        """The name the other process attaches to."""
        return self._memory.name

    def pack(self, record: Record) -> Packed[Record]:
        """Copy the record's arrays in. Raises ValueError with both sizes when they do not fit."""
        arrays = arrays_of(record)
        planes: list[Plane] = []
        offset = 0
        for name, array in arrays.items():
            planes.append(Plane(name, array.shape, offset))
            offset += -(-array.nbytes // _ALIGN) * _ALIGN
        if offset > self._memory.size:
            raise ValueError(f"pixels need {offset} bytes, the shared memory holds {self._memory.size}")
        for plane, array in zip(planes, arrays.values(), strict=True):
            self._view(plane)[...] = array
        empty: dict[str, Any] = dict.fromkeys(arrays, np.empty(0, np.uint8))
        return Packed(replace(record, **empty), tuple(planes))

    def unpack(self, packed: Packed[Record]) -> Record:
        """The record with copies of its arrays: the block may be overwritten right after.

        Raises ValueError for a plane outside the block, TypeError for one that is no field of the record.
        """
        arrays: dict[str, Any] = {plane.name: self._view(plane).copy() for plane in packed.planes}
        return replace(packed.header, **arrays)

    def close(self) -> None:
        """Detach from the memory; the creating side also removes it. Idempotent."""
        self._memory.close()
        if self._owned:
            self._owned = False
            self._memory.unlink()

    def _view(self, plane: Plane) -> NDArray[np.uint8]:
        end = plane.offset + math.prod(plane.shape)
        if not 0 <= plane.offset <= end <= self._memory.size:  # numpy's own check overflows
            raise ValueError(
                f"{plane.name} is at bytes {plane.offset} to {end}, the shared memory holds {self._memory.size}"
            )
        return np.ndarray(plane.shape, dtype=np.uint8, buffer=self._memory.buf, offset=plane.offset)
