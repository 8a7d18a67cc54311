"""Tensors at addresses that never change: a captured or compiled step reads its inputs there."""

from __future__ import annotations

import torch
from torch import Tensor


class FixedBuffers:
    """Copies of what changes between chunks, one per use and shape; never freed, because shapes are few."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, torch.Size, torch.dtype], Tensor] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of all buffers."""
        return sum(held.nbytes for held in self._held.values())

    def put(self, use: str, value: Tensor, device: torch.device | None = None) -> Tensor:
        """The buffer of this use, filled with `value`. The next call with the same use and shape overwrites it.

        device: where the buffer is; None: where `value` is.
        """
        key = (use, value.shape, value.dtype)
        held = self._held.get(key)
        if held is None:
            # An inference tensor could not be written outside inference mode.
            with torch.inference_mode(False):
                held = self._held[key] = torch.empty(value.shape, dtype=value.dtype, device=device or value.device)
        return held.copy_(value, non_blocking=True)
