"""MemFlow's long-term memory: a few old frames, selected by their relevance to the text.

Every few chunks, the first clean frame of the chunk is recorded; the start of a chunk adds the recorded frame to the
bank. When the bank is full, its most salient frames stay and one is dropped. Saliency is the mean raw score between
the text's keys and the frame's keys. As in the original, the newest record is added again at every chunk until the
next record.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from streamvace.model.exchange import ALONE, Exchange


class MemoryBank:
    """The bank's part of the cache's buffers. Stored frame i sits in slot `capacity - 1 - i`."""

    def __init__(self, k: Sequence[Tensor], v: Sequence[Tensor], capacity: int, exchange: Exchange = ALONE) -> None:
        """k, v: the cache's buffers `[B, capacity + window, tokens, heads, D]`, one per layer. exchange: joins the
        heads of all processes, which choose the same frames."""
        self._exchange = exchange
        self._k, self._v, self._capacity = k, v, capacity
        self._new_k = [torch.zeros_like(buffer[:, 0]) for buffer in k] if capacity else []
        self._new_v = [torch.zeros_like(buffer[:, 0]) for buffer in v] if capacity else []
        self._recorded = 0
        self.held = 0

    @property
    def nbytes(self) -> int:
        """Memory in bytes in addition to the cache's buffers."""
        return sum(t.nbytes for t in (*self._new_k, *self._new_v))

    def reset(self) -> None:
        """Forget everything."""
        self._recorded = self.held = 0

    def record(self, slot: int) -> None:
        """Copy the frame in a slot of the buffers, to be added to the bank at the next chunk."""
        for new, buffer in zip((*self._new_k, *self._new_v), (*self._k, *self._v), strict=True):
            new.copy_(buffer[:, slot])
        self._recorded += 1

    def consolidate(self, text_keys: Sequence[Tensor] | None) -> None:
        """Add the recorded frame to the bank.

        text_keys: the text's keys of every layer, `[B, L, heads, D]`; None if they are not known yet (in the original,
        right after a prompt switch), in which case the oldest frames stay.
        """
        if not self._recorded:
            return
        if self._recorded <= self._capacity:
            self.held = self._recorded
            target = self._capacity - self._recorded
        else:
            self._compress(text_keys)
            target = 0
        for new, buffer in zip((*self._new_k, *self._new_v), (*self._k, *self._v), strict=True):
            buffer[:, target].copy_(new)

    def stored(self, layer: int) -> tuple[Tensor, Tensor]:
        """K and V of one layer in storage order, `[B, capacity * tokens, heads, D]`; for tests and parity."""
        order = list(range(self._capacity - 1, -1, -1))
        return self._k[layer][:, order].flatten(1, 2), self._v[layer][:, order].flatten(1, 2)

    def recorded(self, layer: int) -> tuple[Tensor, Tensor]:
        """K and V of the newest record, `[B, tokens, heads, D]`; for tests and parity."""
        return self._new_k[layer], self._new_v[layer]

    def _compress(self, text_keys: Sequence[Tensor] | None) -> None:
        """Keep all frames but one, most salient first, in the first places of the bank."""
        keep = self._capacity - 1
        for layer, (k, v) in enumerate(zip(self._k, self._v, strict=True)):
            stored = k[:, : self._capacity].flip(1)
            if text_keys is None:
                best = torch.arange(keep, device=k.device).expand(k.shape[0], -1)
            else:
                mean = self._exchange.all_heads(stored.float().mean(dim=2), 2)
                best = saliency(mean, text_keys[layer]).topk(keep, dim=1).indices
            for buffer in (k, v):
                frames = buffer[:, : self._capacity].flip(1)
                chosen = torch.stack([row[index] for row, index in zip(frames, best, strict=True)])
                buffer[:, 1 : self._capacity] = chosen.flip(1)


def saliency(frame_mean: Tensor, text_keys: Tensor) -> Tensor:
    """Mean score of each frame, `[B, F]`.

    frame_mean: the mean over its tokens of each frame's keys, `[B, F, heads, D]`. text_keys: `[B, L, heads, D]`. The
    mean of the scores over all pairs is the score of the means, so no score matrix is built.
    """
    heads, width = frame_mean.shape[2:]
    text_mean = text_keys.float().mean(dim=1)
    scores: Tensor = torch.einsum("bfhd,bhd->bf", frame_mean, text_mean) / (width**0.5 * heads)
    return scores
