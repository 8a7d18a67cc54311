"""The self-attention cache of a stream: fixed-size K/V buffers, written in place, addressed by latent frame.

Attention does not depend on the order of its keys, so nothing is ever shifted or cloned: a new frame takes the slot of
the frame it evicts. Python ints record which frame is in which slot, once per chunk; a step has static shapes, reads
what changes between chunks at fixed addresses, and never waits for the device.

A layer's buffer is `[B, bank + window, tokens, heads, D]`. Long-term memory grows leftwards from the window's edge and
the window fills rightwards, so the attended frames are always one slice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from streamvace.model.attention import Kernel, sdpa
from streamvace.model.device import to_device
from streamvace.model.exchange import ALONE, Exchange
from streamvace.model.fixed import FixedBuffers
from streamvace.model.memory_bank import MemoryBank
from streamvace.model.reference_keys import ReferenceKeys
from streamvace.model.rope import RotaryGrid, RotaryTable, rotary_table
from streamvace.model.sink import AdaptiveSink, DecayingSink
from streamvace.model.specs import CacheRule, WanSize

SOFT_CUT = 0.5
"""Attention weight of what came before a soft cut."""


class KVCache:
    """K and V of the last frames of one stream, for every layer. Not shared between streams.

    A slot holds one latent frame. The first `rule.sink` slots of the window are never evicted.
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
        exchange: Exchange = ALONE,
    ) -> None:
        """height, width: the token grid of a latent frame. kernel: the attention kernel to use. exchange: the cache
        holds this process's heads."""
        size = exchange.own_heads(size)
        self.rule = rule
        self.height, self.width, self.head_dim = height, width, size.head_dim
        self.kernel = kernel
        shape = (batch, rule.bank + rule.window, height * width, size.num_heads, size.head_dim)
        self.k = [torch.zeros(shape, device=device, dtype=dtype) for _ in range(size.num_layers)]
        self.v = [torch.zeros(shape, device=device, dtype=dtype) for _ in range(size.num_layers)]
        # Keys stored unrotated are rotated here: the history when a pass is made, the pass's own rows in each step.
        self.rotated = [torch.zeros_like(k) for k in self.k] if rule.positions == "window" else []
        self.bank = MemoryBank(self.k, self.v, rule.bank, exchange)
        self._sink: DecayingSink | None = None
        if rule.sink_decay is not None and rule.sink:
            self._sink = DecayingSink(self.k, self.v, rule.sink, rule.sink_decay)
        self._adaptive = None
        if rule.sink_refresh is not None:
            self._adaptive = AdaptiveSink(self.k, self.v, rule.sink, rule.window, rule.sink_refresh, exchange)
        self._rotary = RotaryGrid(height, width, size.head_dim, device)
        self._fixed = FixedBuffers()
        self._frame_in_slot: list[int] = []
        self._back = 0  # latent frames that `rewind` has moved positions back by
        self._sought = False  # the newest frame met a full window: an adaptive sink chooses its slot

    @property
    def nbytes(self) -> int:
        """Bytes held by the buffers."""
        return sum(t.nbytes for t in (*self.k, *self.v, *self.rotated)) + self.bank.nbytes

    @property
    def frames(self) -> list[int]:
        """Absolute numbers of the frames in the window, oldest first."""
        return sorted(self._frame_in_slot)

    def reset(self) -> None:
        """Forget every frame. The buffers stay; their content is not read before it is overwritten."""
        self._frame_in_slot.clear()
        self.bank.reset()
        self._back, self._sought = 0, False
        for sink in (self._sink, self._adaptive):
            if sink is not None:
                sink.reset()

    def chunk(
        self,
        start: int,
        frames: int,
        past_bias: float = 1.0,
        references: ReferenceKeys | None = None,
        cut: int | None = None,
    ) -> ChunkPass:
        """Make room for a chunk of latent frames `start .. start + frames - 1` and return the pass that attends to it.

        A second call for the same frames returns a pass that overwrites them in place.
        past_bias: attention weight of held frames other than the first one and the chunk, 0 < b <= 1 (Krea Realtime).
        references: more frames to attend to, placed just before the first held frame.
        cut: frames before this one, and long-term memory, get SOFT_CUT of their attention.
        Raises ValueError when the chunk is larger than the window without its sink, or larger than the one frame that
        an adaptive sink takes once the window is full.
        """
        wanted = range(start, start + frames)
        if frames > self.rule.window - (self.rule.sink if start else 0):
            raise ValueError(
                f"a chunk of {frames} latent frames does not fit a window of {self.rule.window} with "
                f"a sink of {self.rule.sink}"
            )
        self._rewind(start)
        if self._adaptive is not None and start not in self._frame_in_slot:
            self._sought = len(self._frame_in_slot) == self.rule.window
            if self._sought and frames > 1:
                raise ValueError(f"a chunk of {frames} latent frames: an adaptive sink takes one frame at a time")
        self._make_room(wanted)
        slots = [self._frame_in_slot.index(frame) for frame in wanted]
        made = self._pass(wanted, dict(enumerate(slots)))
        if past_bias != 1.0 or cut is not None:
            count = 0 if references is None else references.frames
            made.bias = self._score_bias(past_bias, slots, count, cut)
        if references is not None:
            made.references = references.before(min(self._positions(wanted)[0]), self._fixed)
        if self._adaptive is not None and self._sought:
            made.adaptive = (self._adaptive, start)
        return made

    def replay(self, start: int, frames: int) -> ChunkPass:
        """The pass of a prompt switch: clean frames from `start` on are written again with the new text (recache).

        With `keep_sink_on_switch` the sink's K/V stay unless the replay starts at the stream's beginning, and the K/V
        of replayed frames that are no longer held, or are in the sink, are not stored. Without it the replayed frames
        become the whole window, and the first of them the new sink.
        """
        wanted = range(start, start + frames)
        if not self.rule.keep_sink_on_switch:
            self._frame_in_slot = list(wanted)
        protected = self.rule.sink if self.rule.keep_sink_on_switch and start > 0 else 0
        held = {frame: slot for slot, frame in enumerate(self._frame_in_slot) if slot >= protected}
        return self._pass(wanted, {index: held[frame] for index, frame in enumerate(wanted) if frame in held})

    def record(self, frame: int) -> None:
        """Offer a clean frame to long-term memory; the next `bank.consolidate` stores it."""
        self.bank.record(self.rule.bank + self._frame_in_slot.index(frame))

    def in_order(self, layer: int) -> tuple[Tensor, Tensor]:
        """K and V of one layer's window in time order, `[B, frames * tokens, heads, D]`; for tests and parity."""
        order = [self.rule.bank + slot for slot in self._by_age()]
        return self.k[layer][:, order].flatten(1, 2), self.v[layer][:, order].flatten(1, 2)

    def _by_age(self) -> list[int]:
        return sorted(range(len(self._frame_in_slot)), key=self._frame_in_slot.__getitem__)

    def _positions(self, frames: range) -> tuple[list[int], Sequence[int]]:
        """Rotary positions of the held frames, slot by slot, and of the pass's own frames."""
        held = self._frame_in_slot
        if self.rule.positions == "window":
            rank = {slot: position for position, slot in enumerate(self._by_age())}
            return [rank[slot] for slot in range(len(held))], range(len(held) - len(frames), len(held))
        of_slot = [frame if slot < self.rule.sink else frame - self._back for slot, frame in enumerate(held)]
        return of_slot, range(frames.start - self._back, frames.stop - self._back)

    def _rewind(self, start: int) -> None:
        """Move positions back once they reach the limit, and rotate the held keys accordingly.

        The stream's first frames keep their positions. All other frames, including those that an adaptive sink took
        in, keep their distance to the present. A rotation by the difference of positions is enough.
        """
        if self.rule.positions != "rewind":
            return
        limit, restart = self.rule.rewind
        period = limit - restart
        back = 0 if start < limit else ((start - limit) // period + 1) * period
        if back == self._back:
            return
        turn = rotary_table([self._back - back], 1, 1, self.head_dim, self.k[0].device)
        sink = self.rule.sink
        for layer, keys in enumerate(self.k):
            keys[:, sink:] = turn.rotate(keys[:, sink:].flatten(1, 2)).view_as(keys[:, sink:])
            if self._adaptive is not None:
                moved = self._adaptive.refreshed[layer].view(1, -1, 1, 1, 1)
                turned = turn.rotate(keys[:, :sink].flatten(1, 2)).view_as(keys[:, :sink])
                keys[:, :sink] = torch.where(moved, turned, keys[:, :sink])
        self._back = back

    def _make_room(self, chunk: range) -> None:
        held, sink = self._frame_in_slot, self.rule.sink
        fresh = [frame for frame in chunk if frame not in held]
        free = self.rule.window - len(held)
        victims = [slot for slot in self._by_age() if slot >= sink and held[slot] not in chunk]
        victims = victims[: max(0, len(fresh) - free)]
        if victims and self._sink is not None:
            self._sink.absorb(victims)
        held.extend(fresh[:free])
        for slot, frame in zip(victims, fresh[free:], strict=True):
            held[slot] = frame

    def _pass(self, frames: range, slots: Mapping[int, int]) -> ChunkPass:
        """The pass of these frames. slots: from the index of each stored frame in `frames` to its slot."""
        bank, held = self.rule.bank, len(self._frame_in_slot)
        of_slot, positions = self._positions(frames)
        seen = slice(bank - self.bank.held, bank + held)
        if self.rule.positions == "window":
            self._rotate_history(self._rotary.table(of_slot), seen)
        return ChunkPass(
            self,
            RotaryTable(self._fixed.put("rotary", self._rotary.table(positions).turn)),
            len(frames),
            None if len(slots) == len(frames) else self._index("kept", list(slots)),
            self._index("slots", [bank + slot for slot in slots.values()]),
            seen,
        )

    def _rotate_history(self, table: RotaryTable, seen: slice) -> None:
        """Rotate the held keys to their places in the window. Rows of the pass itself are overwritten by each step."""
        for keys, rotated in zip(self.k, self.rotated, strict=True):
            rotated[:, seen] = table.rotate(keys[:, seen].flatten(1, 2)).view_as(keys[:, seen])

    def _index(self, use: str, values: Sequence[int]) -> Tensor:
        """The values as int64 `[n]` on the device."""
        return self._fixed.put(use, to_device(torch.tensor(values, dtype=torch.int64), self.k[0].device))

    def _score_bias(self, past_bias: float, chunk: Sequence[int], references: int, cut: int | None) -> Tensor:
        """The bias added to the scores, `[1, keys]`: log(past_bias) for past frames, 0 for the oldest and the chunk.

        chunk: slots of the chunk's frames. references: number of reference frames. cut: see `chunk`.
        """
        present = {self._by_age()[0], *chunk}
        weights = [1.0 if slot in present else past_bias for slot in range(len(self._frame_in_slot))]
        in_bank = 1.0
        if cut is not None:
            pairs = zip(weights, self._frame_in_slot, strict=True)
            weights = [weight * SOFT_CUT if frame < cut else weight for weight, frame in pairs]
            in_bank = SOFT_CUT
        weights = [in_bank] * self.bank.held + weights + [1.0] * references
        keys = torch.tensor([math.log(weight) for weight in weights]).repeat_interleave(self.height * self.width)
        return self._fixed.put("bias", to_device(keys.to(self.k[0].dtype), self.k[0].device).unsqueeze(0))


@dataclass
class ChunkPass:
    """One chunk's view of the cache (a `blocks.Memory`): writes its K/V, then attends to everything held.

    Valid until the next call of `chunk`, `replay` or `reset` on the cache; used for every denoising step of a chunk.

    rotary: rotation of the pass's own `frames`. kept: indices of the frames to store (None = all). slots: their rows in
    the buffer. seen: the attended rows. bias: added to the scores. references: K and V of the references for every
    layer. adaptive: the sink that chooses the slot instead, layer by layer, and the frame.
    """

    cache: KVCache
    rotary: RotaryTable
    frames: int
    kept: Tensor | None
    slots: Tensor
    seen: slice
    bias: Tensor | None = None
    references: Sequence[tuple[Tensor, Tensor]] = ()
    adaptive: tuple[AdaptiveSink, int] | None = None

    @property
    def kind(self) -> tuple[object, ...] | None:
        """Equal for passes that differ only in the values at the addresses they read.

        None: the pass is not captured, because the cache is still filling, or because an adaptive sink decides in a
        frame's first pass and remembers it in the others.
        """
        rule, seen = self.cache.rule, self.seen
        if seen.stop - seen.start < rule.bank + rule.window or rule.sink_refresh is not None:
            return None
        references = self.references[0][0].shape[1] if self.references else 0
        return (self.frames, None if self.kept is None else len(self.kept), self.bias is not None, references)

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """See blocks.Memory.attend."""
        cache, seen = self.cache, self.seen
        keys, values = cache.k[layer], cache.v[layer]
        rotated = self.rotary.rotate(k)
        slots = self.slots
        if self.adaptive is not None:
            sink, frame = self.adaptive
            slots = sink.slot(layer, frame, rotated, v) + cache.rule.bank
        self._write(values, v, slots)
        if cache.rotated:
            self._write(keys, k, slots)
            keys = cache.rotated[layer]
        self._write(keys, rotated, slots)
        queries = self.rotary.rotate(q)
        seen_keys, seen_values = keys[:, seen].flatten(1, 2), values[:, seen].flatten(1, 2)
        if self.references:
            # Concatenated in each call: space for eight references in every layer's buffer would double Krea's cache.
            extra_keys, extra_values = self.references[layer]
            seen_keys = torch.cat((seen_keys, extra_keys), dim=1)
            seen_values = torch.cat((seen_values, extra_values), dim=1)
        if self.bias is not None:
            return sdpa(queries, seen_keys, seen_values, self.bias)
        return cache.kernel(queries, seen_keys, seen_values)

    def _write(self, buffer: Tensor, new: Tensor, slots: Tensor) -> None:
        new = new.unflatten(1, (self.frames, -1))
        buffer.index_copy_(1, slots, new if self.kept is None else new[:, self.kept])
