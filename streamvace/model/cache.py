"""The self-attention memory of a stream: fixed-size K/V buffers, written in place, addressed by latent frame.

Attention does not care about the order of its keys, so nothing is ever shifted or cloned: a new frame takes the slot
of the one it evicts. Which frame sits in which slot is bookkeeping in Python ints, decided once per chunk; the step
itself has static shapes and no host synchronisation.

A layer's buffer is `[B, bank + window, tokens, heads, D]`: long-term memory grows leftwards from the window's edge, the
window fills rightwards, so what is attended is always one slice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from streamvace.model.attention import Kernel, sdpa
from streamvace.model.memory_bank import MemoryBank
from streamvace.model.reference_keys import ReferenceKeys
from streamvace.model.rope import RotaryTable, rotary_table
from streamvace.model.sink import AdaptiveSink, DecayingSink
from streamvace.model.specs import CacheRule, WanSize


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
    ) -> None:
        """height, width: the token grid of a latent frame. kernel: the attention kernel to use."""
        self.rule = rule
        self.height, self.width, self.head_dim = height, width, size.head_dim
        self.kernel = kernel
        shape = (batch, rule.bank + rule.window, height * width, size.num_heads, size.head_dim)
        self.k = [torch.zeros(shape, device=device, dtype=dtype) for _ in range(size.num_layers)]
        self.v = [torch.zeros(shape, device=device, dtype=dtype) for _ in range(size.num_layers)]
        # Keys stored unrotated are rotated once a chunk, not once a step: history here, the chunk's own rows each step.
        self.rotated = [torch.zeros_like(k) for k in self.k] if rule.positions == "window" else []
        self.bank = MemoryBank(self.k, self.v, rule.bank)
        self._sink = None if rule.sink_decay is None else DecayingSink(self.k, self.v, rule.sink, rule.sink_decay)
        self._adaptive = None
        if rule.sink_refresh is not None:
            self._adaptive = AdaptiveSink(self.k, self.v, rule.sink, rule.window, rule.sink_refresh)
        self._frame_in_slot: list[int] = []
        self._back = 0  # how far the position of `rewind` has fallen back
        self._sought = False  # the newest frame came into a full window, so an adaptive sink seeks its slot

    @property
    def nbytes(self) -> int:
        """Bytes held by the buffers."""
        return sum(t.nbytes for t in (*self.k, *self.v, *self.rotated)) + self.bank.nbytes

    @property
    def frames(self) -> list[int]:
        """Absolute numbers of the frames in the window, oldest first."""
        return sorted(self._frame_in_slot)

    def reset(self) -> None:
        """Forget every frame. Buffers are kept; what they hold is never read before it is written again."""
        self._frame_in_slot.clear()
        self.bank.reset()
        self._back, self._sought = 0, False
        for sink in (self._sink, self._adaptive):
            if sink is not None:
                sink.reset()

    def chunk(
        self, start: int, frames: int, past_bias: float = 1.0, references: ReferenceKeys | None = None
    ) -> ChunkPass:
        """Make room for a chunk of latent frames `start .. start + frames - 1` and return the pass that attends to it.

        Called again for the same frames (later denoising steps, the clean pass) it rewrites them in place.
        past_bias: attention weight of held frames other than the first and the chunk, 0 < b <= 1 (Krea Realtime).
        references: frames that are attended to as well, from just before the first one held.
        Raises ValueError when the chunk is larger than what the window leaves beside the sink, or than the one frame at
        a time that an adaptive sink takes in a full window.
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
        if past_bias != 1.0:
            made.bias = self._score_bias(past_bias, slots, 0 if references is None else references.frames)
        if references is not None:
            made.references = references.before(min(self._positions(wanted)[0]))
        if self._adaptive is not None and self._sought:
            made.adaptive = (self._adaptive, start)
        return made

    def replay(self, start: int, frames: int) -> ChunkPass:
        """The pass of a prompt switch: clean frames `start ..` are written again with the new text (recache).

        With `keep_sink_on_switch` the sink's K/V stay as they are unless the replay starts at the stream's beginning,
        and replayed frames that are no longer held (or are the sink) are attended from but not stored. Without it the
        replayed frames become the whole window, its first ones the new sink.
        """
        wanted = range(start, start + frames)
        if not self.rule.keep_sink_on_switch:
            self._frame_in_slot = list(wanted)
        protected = self.rule.sink if self.rule.keep_sink_on_switch and start > 0 else 0
        held = {frame: slot for slot, frame in enumerate(self._frame_in_slot) if slot >= protected}
        return self._pass(wanted, {index: held[frame] for index, frame in enumerate(wanted) if frame in held})

    def record(self, frame: int) -> None:
        """Offer a clean frame to long-term memory; it is taken in by the next `bank.consolidate`."""
        self.bank.record(self.rule.bank + self._frame_in_slot.index(frame))

    def in_order(self, layer: int) -> tuple[Tensor, Tensor]:
        """K and V of one layer's window in time order, `[B, frames * tokens, heads, D]`; for tests and parity."""
        order = [self.rule.bank + slot for slot in self._by_age()]
        return self.k[layer][:, order].flatten(1, 2), self.v[layer][:, order].flatten(1, 2)

    def _by_age(self) -> list[int]:
        return sorted(range(len(self._frame_in_slot)), key=self._frame_in_slot.__getitem__)

    def _positions(self, frames: range) -> tuple[list[int], Sequence[int]]:
        """Rotary positions of the held frames, slot by slot, and of the pass's own."""
        held = self._frame_in_slot
        if self.rule.positions == "window":
            rank = {slot: position for position, slot in enumerate(self._by_age())}
            return [rank[slot] for slot in range(len(held))], range(len(held) - len(frames), len(held))
        of_slot = [frame if slot < self.rule.sink else frame - self._back for slot, frame in enumerate(held)]
        return of_slot, range(frames.start - self._back, frames.stop - self._back)

    def _rewind(self, start: int) -> None:
        """Let the position fall back when its time has come, and turn the held keys along with it.

        The stream's first frames stay where they are; every other frame, one that an adaptive sink took in as well,
        keeps its distance to the present. A rotation by a difference of positions is all that this takes.
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
        """The pass of these frames. slots: where those that are stored go, by their index in `frames`."""
        device = self.k[0].device
        bank, held = self.rule.bank, len(self._frame_in_slot)
        of_slot, positions = self._positions(frames)
        history = None
        if self.rule.positions == "window":
            history = rotary_table(of_slot, self.height, self.width, self.head_dim, device)
        return ChunkPass(
            self,
            rotary_table(positions, self.height, self.width, self.head_dim, device),
            len(frames),
            None if len(slots) == len(frames) else torch.tensor(list(slots), device=device),
            torch.tensor([bank + slot for slot in slots.values()], device=device),
            slice(bank - self.bank.held, bank + held),
            history,
        )

    def _score_bias(self, past_bias: float, chunk: Sequence[int], references: int) -> Tensor:
        """What is added to the scores `[1, keys]`: log of the bias for past frames, 0 for the oldest and the chunk's.

        chunk: slots of the chunk's frames. references: frames that are attended to beside the cache's.
        """
        weights = torch.full((len(self._frame_in_slot),), math.log(past_bias))
        weights[[self._by_age()[0], *chunk]] = 0.0
        weights = torch.nn.functional.pad(weights, (0, references))
        keys = weights.repeat_interleave(self.height * self.width)
        return keys.to(self.k[0].device, self.k[0].dtype).unsqueeze(0)


@dataclass
class ChunkPass:
    """One chunk's view of the cache (a `blocks.Memory`): writes its K/V, then attends to everything held.

    Valid until the next call of `chunk`, `replay` or `reset` on the cache; used for every denoising step of a chunk.

    rotary: rotation of the pass's own `frames`. kept: indices of the frames that are stored (None = all). slots: where.
    seen: what is attended. history: rotation of the held frames, slot by slot, when K is stored unrotated. bias: added
    to the scores. references: K and V of every layer that are attended to beside the cache's. adaptive: chooses the
    slot of this frame instead, layer by layer.
    """

    cache: KVCache
    rotary: RotaryTable
    frames: int
    kept: Tensor | None
    slots: Tensor
    seen: slice
    history: RotaryTable | None
    bias: Tensor | None = None
    references: Sequence[tuple[Tensor, Tensor]] = ()
    adaptive: tuple[AdaptiveSink, int] | None = None
    _rotated_layers: set[int] = field(default_factory=set, init=False)

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
        if self.history is None:
            self._write(keys, rotated, slots)
        else:
            self._write(keys, k, slots)
            keys = cache.rotated[layer]
            if layer in self._rotated_layers:
                self._write(keys, rotated, slots)
            else:
                keys[:, seen] = self.history.rotate(cache.k[layer][:, seen].flatten(1, 2)).unflatten(
                    1, (seen.stop - seen.start, -1)
                )
                self._rotated_layers.add(layer)
        queries = self.rotary.rotate(q)
        seen_keys, seen_values = keys[:, seen].flatten(1, 2), values[:, seen].flatten(1, 2)
        if self.references:
            # Joined by a copy each time: room for eight references in every layer's buffer would double Krea's cache.
            extra_keys, extra_values = self.references[layer]
            seen_keys = torch.cat((seen_keys, extra_keys), dim=1)
            seen_values = torch.cat((seen_values, extra_values), dim=1)
        if self.bias is not None:
            return sdpa(queries, seen_keys, seen_values, self.bias)
        return cache.kernel(queries, seen_keys, seen_values)

    def _write(self, buffer: Tensor, new: Tensor, slots: Tensor) -> None:
        new = new.unflatten(1, (self.frames, -1))
        buffer.index_copy_(1, slots, new if self.kept is None else new[:, self.kept])
