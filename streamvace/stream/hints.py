"""The hints of one chunk: the context made of its inputs, and when the context branch runs.

The inputs alone select the mode: control, mask, references, first and last frame and a second control combine freely.
What does not depend on the noise (encoding, the context's tokens) is computed once per chunk.
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
from streamvace.model.noise import Use, draw_noise, seed_noise
from streamvace.model.rope import rotary_table
from streamvace.model.sampler import add_noise
from streamvace.model.transformer import CausalWan, TimeEmbedding
from streamvace.records.chunk import MAX_REFERENCES, ChunkInput
from streamvace.stream.chunk_contexts import ChunkContexts, chunk_contexts
from streamvace.stream.stream_state import Networks, StreamState


def wants_hints(given: ChunkInput) -> bool:
    """Whether the chunk uses the context branch."""
    if given.context_scale == 0 or (given.block_scales and not any(given.block_scales)):
        return False
    pictures = (given.control, given.mask, given.references, given.first_frame, given.last_frame, given.second_control)
    return any(picture is not None for picture in pictures)


MakeHints = Callable[[Tensor, TimeEmbedding], Sequence[Tensor]]
"""Makes a pass's hints from its noisy tokens and timestep."""


class Share(NamedTuple):
    """One context's tokens, `[1, N, dim]`, and its share of the hints."""

    embedded: Tensor
    weight: float


@dataclass
class ChunkHints:
    """Makes the hints of one chunk's passes.

    text: the context branch's text K/V. scales: per context block, a factor or `[1, N, 1]`. memory: over
    [references | chunk]. every, threshold: `hint_reuse` and `hint_threshold` of ChunkInput. references: latents
    `[1, C, n, h, w]` placed before the chunk, or None. noise: generator of their noise.
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
        """Hints of the next denoising step, one `[1, N, dim]` per context block: new, or those of an earlier step."""
        if not self._held or (self._steps % self.every == 0 and not self._settled):
            self._held = self.make(tokens, time, sigma)
        self._steps += 1
        return self._held

    def watch(self, x0: Tensor) -> None:
        """Compare a step's picture with the previous one. Hints are no longer recomputed once it changes little."""
        if not self.threshold:
            return
        if self._seen is not None and not self._settled:
            change = (x0 - self._seen).norm() / x0.norm()
            self._settled = bool(change < self.threshold)
        self._seen = x0

    def make(self, tokens: Tensor, time: TimeEmbedding, sigma: float) -> list[Tensor]:
        """Scaled hints for these noisy tokens `[1, N, dim]`."""
        ahead = 0
        if self.references is not None:
            drawn = draw_noise(tuple(self.references.shape), self.noise, self.references.dtype)
            noised, _ = self.wan.embed(add_noise(self.references, drawn, sigma))
            ahead = noised.shape[1]
            tokens = torch.cat((noised, tokens), dim=1)  # the time embedding is the same for all frames
        made = [self.branch.hints(tokens, share.embedded, time, self.text, self.memory, ahead) for share in self.shares]
        blended = made[0]
        if len(made) == 2:
            weight = self.shares[1].weight
            blended = [torch.lerp(one, other, weight) for one, other in zip(*made, strict=True)]
        return [hint * scale for hint, scale in zip(blended, self.scales, strict=True)]


class HintBuilder:
    """Makes the ChunkHints of each chunk. It holds tables and no state of the stream."""

    def __init__(self, canvas: Canvas, chunk: int, head_dim: int, contexts: ChunkContexts = chunk_contexts) -> None:
        """chunk: most latent frames of a chunk. contexts: makes the VACE contexts of a chunk's inputs."""
        self._canvas, self._contexts = canvas, contexts
        frames = range(chunk + MAX_REFERENCES)
        self._table = rotary_table(frames, canvas.rows, canvas.columns, head_dim, canvas.device)
        self._noise = torch.Generator(canvas.device)

    def open(self, given: ChunkInput, state: StreamState, parts: Networks, frames: int, pixels: int) -> ChunkHints:
        """The hints of the next chunk, for inputs that need hints. Advances the encoder streams of `state`.

        frames: latent frames of the chunk. pixels: its pixel frames. The references' latents are in `state.references`.
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
                # As published: tokens beyond the chunk's length are cut, and references are not noised.
                embedded, references = [branch.embed(context, tokens) for context in joined], None
            else:
                embedded = [branch.embed(context) for context in joined]
                seen = embedded[0].shape[1]
        weights = (1 - given.second_weight, given.second_weight) if len(embedded) == 2 else (1.0,)
        shares = [Share(*share) for share in zip(embedded, weights, strict=True) if share[1]]
        seed_noise(self._noise, given.noise_rule, given.seed, state.position, Use.REFERENCES)
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
