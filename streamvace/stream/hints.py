"""The hints of one chunk: which context its inputs ask for, and when the context branch runs over it.

The mode is inferred from the inputs, never named: control, mask, references, first and last frame and a second control
compose in any way. What does not depend on the noise (encoding, the context's tokens) is made once a chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from streamvace.conditioning.context import reference_context
from streamvace.conditioning.pixels import Canvas
from streamvace.conditioning.region import scale_tokens
from streamvace.model.blocks import Bidirectional, TextKV
from streamvace.model.context import ContextBranch
from streamvace.model.rope import rotary_table
from streamvace.model.sampler import add_noise, draw_noise
from streamvace.model.transformer import CausalWan, TimeEmbedding
from streamvace.records.chunk import MAX_REFERENCES, ChunkInput
from streamvace.stream.chunk_contexts import ChunkContexts, chunk_contexts
from streamvace.stream.stream_state import Networks, StreamState

REFERENCE_SEED = 1 << 20
"""References draw their noise under another seed than the picture: to show one must not change the chunk's noise."""


def wants_hints(given: ChunkInput) -> bool:
    """Whether the context branch has a part in the chunk."""
    if given.context_scale == 0 or (given.block_scales and not any(given.block_scales)):
        return False
    pictures = (given.control, given.mask, given.references, given.first_frame, given.last_frame, given.second_control)
    return any(picture is not None for picture in pictures)


MakeHints = Callable[[Tensor, TimeEmbedding], Sequence[Tensor]]
"""From a pass's noisy tokens and timestep to its hints."""


class Share(NamedTuple):
    """One context's tokens, `[1, N, dim]`, and its share of the hints."""

    embedded: Tensor
    weight: float


@dataclass
class ChunkHints:
    """Makes the hints of one chunk's passes; how often is `hint_reuse` and `hint_threshold` of its ChunkInput.

    text: the context branch's text K/V. scales: of each context block's hint, a factor or `[1, N, 1]`. memory: over
    [references | chunk]. every, threshold: those two. references: latents `[1, C, n, h, w]` that stand before the
    chunk, or None. noise: what they are noised with.
    """

    wan: CausalWan
    branch: ContextBranch
    text: Sequence[TextKV]
    shares: Sequence[Share]
    scales: Sequence[float | Tensor]
    memory: Bidirectional
    every: int = 1
    threshold: float = 0.0
    references: Tensor | None = None
    noise: torch.Generator = field(default_factory=torch.Generator)
    _held: list[Tensor] = field(default_factory=list, init=False)
    _steps: int = field(default=0, init=False)
    _seen: Tensor | None = field(default=None, init=False)
    _settled: bool = field(default=False, init=False)

    def step(self, tokens: Tensor, time: TimeEmbedding, sigma: float) -> list[Tensor]:
        """Hints of the next denoising step, one `[1, N, dim]` a context block: made anew, or those of a step before."""
        if not self._held or (self._steps % self.every == 0 and not self._settled):
            self._held = self.make(tokens, time, sigma)
        self._steps += 1
        return self._held

    def watch(self, x0: Tensor) -> None:
        """Take notice of a step's picture: one that no longer changes needs no new hints."""
        if not self.threshold:
            return
        if self._seen is not None and not self._settled:
            change = (x0 - self._seen).norm() / x0.norm()
            self._settled = bool(change < self.threshold)
        self._seen = x0

    def make(self, tokens: Tensor, time: TimeEmbedding, sigma: float) -> list[Tensor]:
        """Hints for these noisy tokens `[1, N, dim]`, scaled."""
        ahead = 0
        if self.references is not None:
            drawn = draw_noise(tuple(self.references.shape), self.noise, self.references.dtype)
            noised, grid = self.wan.embed(add_noise(self.references, drawn, sigma))
            ahead = noised.shape[1]
            tokens = torch.cat((noised, tokens), dim=1)
            time = _with_frames_ahead(time, grid.frames)
        made = [self.branch.hints(tokens, share.embedded, time, self.text, self.memory, ahead) for share in self.shares]
        blended = made[0]
        if len(made) == 2:
            weight = self.shares[1].weight
            blended = [torch.lerp(one, other, weight) for one, other in zip(*made, strict=True)]
        return [hint * scale for hint, scale in zip(blended, self.scales, strict=True)]


class HintBuilder:
    """Opens the hints of each chunk of a stream; it holds tables, and nothing of the stream."""

    def __init__(self, canvas: Canvas, chunk: int, head_dim: int, contexts: ChunkContexts = chunk_contexts) -> None:
        """chunk: most latent frames of a chunk. contexts: what makes the VACE contexts of a chunk's inputs."""
        self._canvas, self._contexts = canvas, contexts
        frames = range(chunk + MAX_REFERENCES)
        self._table = rotary_table(frames, canvas.rows, canvas.columns, head_dim, canvas.device)
        self._noise = torch.Generator(canvas.device)

    def open(self, given: ChunkInput, state: StreamState, parts: Networks, frames: int, pixels: int) -> ChunkHints:
        """The hints of the next chunk, for inputs that want some. Takes the encoder streams along.

        frames: latent frames of the chunk. pixels: its pixel frames. The references' latents are `state.references`'.
        """
        references = state.references.latents
        contexts = self._contexts(given, state, parts.codec, self._canvas, pixels)
        branch, tokens = parts.branch, frames * self._canvas.rows * self._canvas.columns
        seen = tokens
        if references is None:
            embedded = [branch.embed(context) for context in contexts]
        else:
            front = reference_context(references, branch.size.vace_in_dim)
            joined = [torch.cat((front, context), dim=2) for context in contexts]
            if given.reference_mode == "paper":
                # As published: what sticks out over the chunk's end is cut, and references noise nothing.
                embedded, references = [branch.embed(context, tokens) for context in joined], None
            else:
                embedded = [branch.embed(context) for context in joined]
                seen = embedded[0].shape[1]
        weights = (1 - given.second_weight, given.second_weight) if len(embedded) == 2 else (1.0,)
        shares = [Share(*share) for share in zip(embedded, weights, strict=True) if share[1]]
        self._noise.manual_seed(given.seed + state.position + REFERENCE_SEED)
        table = self._table.first(seen)
        return ChunkHints(
            parts.wan, branch, state.context_text, shares, self._scales(given, parts, frames), Bidirectional(table),
            given.hint_reuse, given.hint_threshold, references, self._noise,
        )  # fmt: skip

    def _scales(self, given: ChunkInput, parts: Networks, frames: int) -> list[float | Tensor]:
        blocks = given.block_scales or (1.0,) * len(parts.branch.vace_blocks)
        place: Tensor | None = None
        if given.scale_map is not None:
            scale = torch.from_numpy(np.ascontiguousarray(given.scale_map)).to(self._canvas.device, self._canvas.dtype)
            place = scale_tokens(scale, frames, parts.codec.temporal_stride, self._canvas.rows, self._canvas.columns)
        return [given.context_scale * block * (1.0 if place is None else place) for block in blocks]


def _with_frames_ahead(time: TimeEmbedding, frames: int) -> TimeEmbedding:
    """References have the timestep of the chunk, whose frames all share one."""
    e, e0 = time.e[:, :1].expand(-1, frames, -1), time.e0[:, :1].expand(-1, frames, -1, -1)
    return TimeEmbedding(torch.cat((e, time.e), dim=1), torch.cat((e0, time.e0), dim=1))
