"""The self-attention memory of a stream: fixed-size K/V buffers, written in place, addressed by latent frame.

Attention does not care about the order of its keys, so nothing is ever shifted or cloned: a new frame takes the slot
of the one it evicts. Which frame sits in which slot is bookkeeping in Python ints, decided once per chunk; the step
itself has static shapes and no host synchronisation.
"""

from __future__ import annotations

import torch
from torch import Tensor

from streamvace.model.attention import Kernel, sdpa
from streamvace.model.rope import RotaryTable, rotary_table
from streamvace.model.specs import CacheRule, WanSize


class KVCache:
    """K (rotated to its absolute position) and V of the last frames of one stream, for every layer.

    A slot holds one latent frame. The first `rule.sink` slots are never evicted. Not shared between streams.
    """

    def __init__(
        self,
        size: WanSize,
        rule: CacheRule,
        height: int,
        width: int,
        batch: int = 1,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        kernel: Kernel = sdpa,
    ) -> None:
        """height, width: the token grid of a latent frame. kernel: the attention kernel to use."""
        self.rule = rule
        self.height, self.width, self.head_dim = height, width, size.head_dim
        self.kernel = kernel
        shape = (batch, rule.window, height * width, size.num_heads, size.head_dim)
        self.k = [torch.zeros(shape, device=device, dtype=dtype) for _ in range(size.num_layers)]
        self.v = [torch.zeros(shape, device=device, dtype=dtype) for _ in range(size.num_layers)]
        self._frame_in_slot: list[int] = []

    @property
    def nbytes(self) -> int:
        """Bytes held by the buffers."""
        return sum(t.nbytes for t in (*self.k, *self.v))

    @property
    def frames(self) -> list[int]:
        """Absolute numbers of the frames held, oldest first."""
        return sorted(self._frame_in_slot)

    def reset(self) -> None:
        """Forget every frame. Buffers are kept; what they hold is never read before it is written again."""
        self._frame_in_slot.clear()

    def chunk(self, start: int, frames: int) -> ChunkPass:
        """Make room for a chunk of latent frames `start .. start + frames - 1` and return the pass that attends to it.

        Called again for the same frames (later denoising steps, the clean pass) it rewrites them in place.
        Raises ValueError when the chunk is larger than what the window leaves beside the sink.
        """
        wanted = range(start, start + frames)
        if frames > self.rule.window - (self.rule.sink if start else 0):
            raise ValueError(
                f"a chunk of {frames} latent frames does not fit a window of {self.rule.window} with "
                f"a sink of {self.rule.sink}"
            )
        slots = [self._slot(frame, wanted) for frame in wanted]
        return self._pass(wanted, list(range(frames)), slots)

    def replay(self, start: int, frames: int) -> ChunkPass:
        """The pass of a prompt switch: clean frames `start ..` are written again with the new text (recache).

        With `keep_sink_on_switch` the sink's K/V stay as they are unless the replay starts at the stream's beginning,
        and replayed frames that are no longer held (or are the sink) are attended from but not stored. Without it the
        replayed frames become the whole cache, its first ones the new sink.
        """
        wanted = range(start, start + frames)
        if not self.rule.keep_sink_on_switch:
            self._frame_in_slot = list(wanted)
        protected = self.rule.sink if self.rule.keep_sink_on_switch and start > 0 else 0
        held = {frame: slot for slot, frame in enumerate(self._frame_in_slot) if slot >= protected}
        kept = [index for index, frame in enumerate(wanted) if frame in held]
        return self._pass(wanted, kept, [held[wanted[index]] for index in kept])

    def in_order(self, layer: int) -> tuple[Tensor, Tensor]:
        """K and V of one layer in time order, `[B, frames * tokens, heads, D]`; for tests and parity."""
        order = sorted(range(len(self._frame_in_slot)), key=self._frame_in_slot.__getitem__)
        return self.k[layer][:, order].flatten(1, 2), self.v[layer][:, order].flatten(1, 2)

    def _slot(self, frame: int, chunk: range) -> int:
        held = self._frame_in_slot
        if frame in held:
            return held.index(frame)
        if len(held) < self.rule.window:
            held.append(frame)
            return len(held) - 1
        slot = min((s for s in range(self.rule.sink, len(held)) if held[s] not in chunk), key=held.__getitem__)
        held[slot] = frame
        return slot

    def _pass(self, frames: range, kept: list[int], slots: list[int]) -> ChunkPass:
        device = self.k[0].device
        rotary = rotary_table(frames, self.height, self.width, self.head_dim, device)
        return ChunkPass(
            self,
            rotary,
            len(frames),
            None if len(kept) == len(frames) else torch.tensor(kept, device=device),
            torch.tensor(slots, device=device),
            len(self._frame_in_slot),
        )


class ChunkPass:
    """One chunk's view of the cache (a `blocks.Memory`): writes its K/V, then attends to everything held.

    Valid until the next call of `chunk`, `replay` or `reset` on the cache; used for every denoising step of a chunk.
    """

    def __init__(
        self, cache: KVCache, rotary: RotaryTable, frames: int, kept: Tensor | None, slots: Tensor, held: int
    ) -> None:
        """kept: indices of the pass's frames that are stored (None = all). slots: where. held: slots in use."""
        self.rotary = rotary
        self._cache, self._frames, self._kept, self._slots, self._held = cache, frames, kept, slots, held

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """See blocks.Memory.attend."""
        keys, values = self._cache.k[layer], self._cache.v[layer]
        new_k = self.rotary.rotate(k).unflatten(1, (self._frames, -1))
        new_v = v.unflatten(1, (self._frames, -1))
        if self._kept is not None:
            new_k, new_v = new_k[:, self._kept], new_v[:, self._kept]
        keys.index_copy_(1, self._slots, new_k)
        values.index_copy_(1, self._slots, new_v)
        held = self._held
        return self._cache.kernel(self.rotary.rotate(q), keys[:, :held].flatten(1, 2), values[:, :held].flatten(1, 2))
