"""K and V of reference frames for the base attention: made once, read by every chunk, never written.

In batch VACE a clip attends to its references directly. A causal stream can do the same without being trained for it:
to its attention they are frames just before the first one it holds, as they are just before the clip in batch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from streamvace.model.attention import sdpa
from streamvace.model.rope import rotary_table


class ReferenceKeys:
    """Filled by one pass of the base over the references, to which it is the `blocks.Memory`; read-only from then on.

    K is kept unrotated: where the first held frame moves along with the stream, the references move too.
    """

    def __init__(self, frames: int, height: int, width: int, head_dim: int, device: torch.device | str) -> None:
        """frames: references. height, width: the token grid of a latent frame."""
        self.frames = frames
        self._grid = (height, width, head_dim, device)
        self._own = rotary_table(range(frames), *self._grid)
        self._k: list[Tensor] = []
        self._v: list[Tensor] = []
        self._rotated: list[Tensor] = []
        self._first: int | None = None

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(t.nbytes for t in (*self._k, *self._v, *self._rotated))

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """See blocks.Memory.attend: the references see each other and nothing else."""
        assert layer == len(self._k)
        self._k.append(k)
        self._v.append(v)
        return sdpa(self._own.rotate(q), self._own.rotate(k), v)

    def before(self, first: int) -> list[tuple[Tensor, Tensor]]:
        """Rotated K, and V, of every layer, `[B, frames * tokens, heads, D]`, as the frames just before number `first`.

        With a sink `first` stays the same, and rotating is done once, too.
        """
        if first != self._first:
            table = rotary_table(range(first - self.frames, first), *self._grid)
            self._rotated, self._first = [table.rotate(k) for k in self._k], first
        return list(zip(self._rotated, self._v, strict=True))
