"""Sinks that change over time: Reward Forcing's decaying sink and StreamDiffusionV2's adaptive sink.

A sink is a stream's first frames, kept in the cache for the whole stream. A sink that never changes keeps pulling the
stream back to an old picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from streamvace.model.exchange import ALONE, Exchange


class DecayingSink:
    """sink = decay * sink + (1 - decay) * evicted, kept in fp32.

    At decay 0.999 an update is a thousandth, below bf16's resolution: in bf16 the sink would never change.
    """

    def __init__(self, k: Sequence[Tensor], v: Sequence[Tensor], frames: int, decay: float) -> None:
        """k, v: the cache's buffers `[B, window, tokens, heads, D]`, one per layer; the first `frames` are the sink."""
        self._buffers = [*k, *v]
        self._frames, self._decay = frames, decay
        self._exact: list[Tensor] = []
        self._slots = torch.arange(k[0].shape[1], device=k[0].device)

    def reset(self) -> None:
        """Forget the sink; the next stream starts from its own first frames."""
        self._exact = []

    def absorb(self, slots: Sequence[int]) -> None:
        """Blend in the frames that are about to be evicted, oldest first.

        As published, the blend needs as many evicted frames as the sink has. Any other number replaces the sink's first
        frames; this happens once, after a first chunk of another length.
        """
        if not self._exact:
            self._exact = [buffer[:, : self._frames].float() for buffer in self._buffers]
        count = min(len(slots), self._frames)
        # Made on the device and for all layers: a list as index would be copied there, and waited for, in every layer.
        index = torch.cat([self._slots[slot : slot + 1] for slot in slots[:count]])
        for exact, buffer in zip(self._exact, self._buffers, strict=True):
            evicted = buffer.index_select(1, index).float()
            if len(slots) == self._frames:
                torch.lerp(evicted, exact, self._decay, out=exact)
            else:
                exact[:, :count] = evicted
            buffer[:, : self._frames] = exact


class AdaptiveSink:
    """A new frame that is unlike the sink replaces the sink frame it is least similar to.

    Every layer decides by itself, by the mean of the cosine similarities of mean keys and mean values. The decision
    stays on the device, so the host never waits for it. Slots therefore differ between layers, and only the number of
    frames in the cache's record holds for every layer.

    The original decides anew at every denoising step, with counters that can leave one frame in two slots. Here the
    first pass of a frame decides for all its passes, once the window is full.
    """

    def __init__(
        self,
        k: Sequence[Tensor],
        v: Sequence[Tensor],
        frames: int,
        window: int,
        threshold: float,
        exchange: Exchange = ALONE,
    ) -> None:
        """k, v: as for DecayingSink; slots `frames` to `window` - 1 are the ring.

        threshold: similarity below which a frame goes to the sink, -1..1 (StreamDiffusionV2: 0.2). exchange: joins the
        heads of all processes, which decide alike.
        """
        self._exchange = exchange
        self._k, self._v = k, v
        self._frames, self._window, self._threshold = frames, window, threshold
        self.reset()

    def reset(self) -> None:
        """Start a new stream: the ring begins at its first slot, and no sink frame has been replaced."""
        device = self._k[0].device
        layers = range(len(self._k))
        self._next = [torch.full((1,), self._frames, device=device) for _ in layers]
        self._chosen: list[tuple[int, Tensor] | None] = [None for _ in layers]
        self.refreshed = [torch.zeros(self._frames, dtype=torch.bool, device=device) for _ in layers]

    def slot(self, layer: int, frame: int, k: Tensor, v: Tensor) -> Tensor:
        """The slot of a new frame in a full window, int64 `[1]`, the same for every pass of the frame.

        k, v: the frame's rotated keys and values `[1, tokens, heads, D]`.
        """
        chosen = self._chosen[layer]
        if chosen is not None and chosen[0] == frame:
            return chosen[1]
        likeness = (self._likeness(self._k[layer], k) + self._likeness(self._v[layer], v)) / 2
        least, worst = likeness.min(dim=0, keepdim=True)
        fresh = least < self._threshold
        ring = self._next[layer]
        after = torch.where(ring + 1 == self._window, self._frames, ring + 1)
        self._next[layer] = torch.where(fresh, ring, after)
        self.refreshed[layer] |= F.one_hot(worst[0], self._frames).bool() & fresh
        slot = torch.where(fresh, worst, ring)
        self._chosen[layer] = frame, slot
        return slot

    def _likeness(self, held: Tensor, new: Tensor) -> Tensor:
        """Cosine similarity of a new frame to each sink frame, by the mean over tokens, `[sink]`."""
        ours = self._exchange.all_heads(held[0, : self._frames].float().mean(dim=1).flatten(1), 1)
        theirs = self._exchange.all_heads(new[0].float().mean(dim=0).flatten(), 0)
        return F.cosine_similarity(ours, theirs.unsqueeze(0), dim=-1)
