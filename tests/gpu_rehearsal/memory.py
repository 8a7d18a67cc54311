"""Bytes of the tensors that exist on a fake card."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from itertools import count

import torch
from torch import Tensor

BLOCK = 512
"""CUDA's allocator rounds every allocation up to a multiple of this many bytes."""


POOL = -2
"""Stands in for a stream: the pool of captured graphs, whose memory is there for nothing else."""


class CardMemory:
    """Follows the storages of the card's tensors from their first use to their end.

    live: bytes of those that exist. total: the card's memory. freed: is told the number of a storage that ends, and of
    the stream that made it.
    """

    def __init__(self, total: float, numbers: Iterator[int] | None = None) -> None:
        """numbers: of the storages, shared by the cards of a machine; None: its own."""
        self.total, self.live = total, 0
        self._new = numbers or count(1)
        self.freed: Callable[[int, int], None] = lambda number, stream: None
        self._of_stream: dict[int, int] = {}
        self._peaks: dict[int, int] = {}
        self._homes: dict[int, int] = {}
        self._numbers: dict[int, int] = {}
        self._sizes: dict[int, int] = {}
        self._lines: dict[int, str] = {}

    @property
    def peak(self) -> int:
        """The most so far, stream by stream: memory that one stream has freed is not there for another."""
        return sum(self._peaks.values())

    def peak_of(self, stream: int) -> int:
        """The most so far of the tensors that a stream made."""
        return self._peaks.get(stream, 0)

    def number(self, tensor: Tensor, line: str = "", stream: int = 0) -> int:
        """The number of a tensor's storage. The first time, it is counted as allocated by `line` in the stream.

        Raises torch.OutOfMemoryError when the card is full.
        """
        storage = tensor.untyped_storage()
        address = storage._cdata
        known = self._numbers.get(address)
        if known is not None:
            return known
        size = -(-storage.nbytes() // BLOCK) * BLOCK
        if self.live + size > self.total:
            free = (self.total - self.live) / 2**20
            raise torch.OutOfMemoryError(
                f"CUDA out of memory. Tried to allocate {size / 2**20:.2f} MiB. GPU 0 has a total capacity of "
                f"{self.total / 2**30:.2f} GiB of which {free:.2f} MiB is free."
            )
        number = next(self._new)
        self._numbers[address], self._sizes[address], self._lines[address] = number, size, line
        self.live += size
        self._homes[address] = stream
        self._of_stream[stream] = self._of_stream.get(stream, 0) + size
        self._peaks[stream] = max(self._peaks.get(stream, 0), self._of_stream[stream])
        weakref.finalize(storage, self._free, address).atexit = False
        return number

    def restart_peak(self) -> None:
        """Measure the peak from now on."""
        self._peaks = dict(self._of_stream)

    def by_line(self) -> dict[str, int]:
        """Bytes that exist now, by the line of the project that made them, most first."""
        sums: dict[str, int] = {}
        for address, size in self._sizes.items():
            sums[self._lines[address]] = sums.get(self._lines[address], 0) + size
        return dict(sorted(sums.items(), key=lambda each: -each[1]))

    def _free(self, address: int) -> None:
        size, stream = self._sizes.pop(address), self._homes.pop(address)
        self.live -= size
        self._of_stream[stream] -= size
        self.freed(self._numbers.pop(address), stream)
        del self._lines[address]
