"""K and V of reference frames for the base attention: computed once and read by every chunk.

In batch VACE, a clip attends to its references directly. A causal stream can do the same without training: the
references are placed just before the first frame of its cache, as they precede the clip in batch VACE.
"""

from __future__ import annotations

from itertools import chain

import torch
from torch import Tensor

from streamvace.model.attention import sdpa
from streamvace.model.fixed import FixedBuffers
from streamvace.model.rope import rotary_table

CAPTURED = 1
"""References of the passes that are captured in the warm-up. Only their keys have addresses that never change: buffers
for each number that a show uses would stay for ever, at 1.3B 4.8 GB for one to eight."""


class ReferenceKeys:
    """The `blocks.Memory` of one pass of the base over the references, which fills it; read-only afterwards.

    K is stored unrotated: if the cache's first frame advances with the stream, the references advance with it.
    """

    def __init__(self, frames: int, height: int, width: int, head_dim: int, device: torch.device | str) -> None:
        """frames: the number of references. height, width: the token grid of a latent frame."""
        self.frames = frames
        self._grid = (height, width, head_dim, device)
        self._own = rotary_table(range(frames), *self._grid)
        self._k: list[Tensor] = []
        self._v: list[Tensor] = []
        self._rotated: list[tuple[Tensor, Tensor]] = []
        self._placed: tuple[int, FixedBuffers] | None = None

    @property
    def nbytes(self) -> int:
        """Memory in use in bytes."""
        return sum(t.nbytes for t in (*self._k, *self._v, *chain(*self._rotated)))

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """See blocks.Memory.attend: the references attend only to each other."""
        assert layer == len(self._k)
        # Copies: they are views, and would keep q, k and v of the whole pass.
        self._k.append(k.clone())
        self._v.append(v.clone())
        return sdpa(self._own.rotate(q), self._own.rotate(k), v)

    def before(self, first: int, fixed: FixedBuffers) -> list[tuple[Tensor, Tensor]]:
        """Rotated K, and V, of every layer, `[B, frames * tokens, heads, D]`, positioned just before frame `first`.

        fixed: of the cache that reads them. With a sink, `first` is constant and K is rotated only once.
        """
        if (first, fixed) != self._placed:
            table = rotary_table(range(first - self.frames, first), *self._grid)
            self._rotated = []
            for layer, (k, v) in enumerate(zip(self._k, self._v, strict=True)):
                turned = table.rotate(k)
                if self.frames == CAPTURED:
                    turned, v = fixed.put(f"reference k {layer}", turned), fixed.put(f"reference v {layer}", v)
                self._rotated.append((turned, v))
            self._v = [v for _, v in self._rotated]
            self._placed = first, fixed
        return self._rotated
