"""Bytes of the tensors that exist on a fake card."""

from __future__ import annotations

import weakref

import torch
from torch import Tensor

BLOCK = 512
"""CUDA's allocator rounds every allocation up to a multiple of this many bytes."""


class CardMemory:
    """Follows the storages of the card's tensors from their first use to their end.

    live: bytes of those that exist. peak: the most so far. total: the card's memory.
    """

    def __init__(self, total: float) -> None:
        self.total, self.live, self.peak = total, 0, 0
        self._numbers: dict[int, int] = {}
        self._sizes: dict[int, int] = {}
        self._next = 0
        self._lines: dict[int, str] = {}

    def number(self, tensor: Tensor, line: str = "") -> int:
        """The number of a tensor's storage. The first time, it is counted as allocated by `line`.

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
        self._next += 1
        self._numbers[address], self._sizes[address], self._lines[address] = self._next, size, line
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._free, address).atexit = False
        return self._next

    def restart_peak(self) -> None:
        """Measure the peak from now on."""
        self.peak = self.live

    def by_line(self) -> dict[str, int]:
        """Bytes that exist now, by the line of the project that made them, most first."""
        sums: dict[str, int] = {}
        for address, size in self._sizes.items():
            sums[self._lines[address]] = sums.get(self._lines[address], 0) + size
        return dict(sorted(sums.items(), key=lambda each: -each[1]))

    def _free(self, address: int) -> None:
        self.live -= self._sizes.pop(address)
        del self._numbers[address], self._lines[address]
