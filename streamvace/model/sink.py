"""The decaying sink of Reward Forcing: what leaves the window is blended into the sink instead of being lost."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class DecayingSink:
    """sink = decay * sink + (1 - decay) * evicted, kept in fp32.

    At decay 0.999 an update is a thousandth, below bf16's resolution: accumulated in bf16 the sink would never move.
    """

    def __init__(self, k: Sequence[Tensor], v: Sequence[Tensor], frames: int, decay: float) -> None:
        """k, v: the cache's buffers `[B, window, tokens, heads, D]`, one a layer; their first `frames` are the sink."""
        self._buffers = [*k, *v]
        self._frames, self._decay = frames, decay
        self._exact: list[Tensor] = []

    def reset(self) -> None:
        """Start from the next stream's own first frames."""
        self._exact = []

    def absorb(self, slots: Sequence[int]) -> None:
        """Take in the frames that are about to be evicted, oldest first.

        As published, the blend needs as many evicted frames as the sink has; another number replaces the sink's first
        frames instead (it happens once, after a first chunk of another length).
        """
        if not self._exact:
            self._exact = [buffer[:, : self._frames].float() for buffer in self._buffers]
        count = min(len(slots), self._frames)
        for exact, buffer in zip(self._exact, self._buffers, strict=True):
            evicted = buffer[:, list(slots[:count])].float()
            if len(slots) == self._frames:
                torch.lerp(evicted, exact, self._decay, out=exact)
            else:
                exact[:, :count] = evicted
            buffer[:, : self._frames] = exact
