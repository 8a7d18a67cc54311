"""The hints of one chunk: the context made of its inputs, and when the context branch runs.

The inputs alone select the mode: control, mask, references, first and last frame and a second control combine freely.
What does not depend on the noise (encoding, the context's tokens) is computed once per chunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from streamvace.conditioning.context import reference_context
from streamvace.conditioning.pixels import Canvas
from streamvace.conditioning.region import scale_tokens
from streamvace.model.blocks import Bidirectional, TextKV
from streamvace.model.context import ContextBranch
from streamvace.model.device import to_device
from streamvace.model.fixed import FixedBuffers
from streamvace.model.noise import Use, draw_noise, seed_noise
from streamvace.model.rope import rotary_table
from streamvace.model.sampler import add_noise
from streamvace.model.transformer import CausalWan, TimeEmbedding
from streamvace.records.chunk import MAX_REFERENCES, ChunkInput
from streamvace.stream.link import ONE_DEVICE, Link
from streamvace.stream.stream_state import Networks, StreamState


def wants_hints(given: ChunkInput) -> bool:
    """Whether the chunk uses the context branch."""
    if given.context_scale == 0 or (given.block_scales and not any(given.block_scales)):
        return False
    pictures = (given.control, given.mask, given.references, given.first_frame, given.last_frame, given.second_control)
    return any(picture is not None for picture in pictures)


class Share(NamedTuple):
    """One context's tokens, `[1, N, dim]`, and its share of the hints, a tensor of one number."""

    embedded: Tensor
    weight: Tensor


@dataclass
class ChunkHints:
    """Makes the hints of one chunk's passes: `prepare` before each pass, `take` within it.

    text: the context branch's text K/V. scales: factors of each context block for this process's tokens,
    `[blocks, 1, N, 1]`. memory: over [references | chunk]. every, threshold: `hint_reuse` and
    `hint_threshold` of ChunkInput. references: latents `[1, C, n, h, w]` placed before the chunk, or None. noise:
    theirs, for every pass that computes hints. link: from the passes to the context branch.
    """

    wan: CausalWan
    branch: ContextBranch
    text: Sequence[TextKV]
    shares: Sequence[Share]
    scales: Tensor
    memory: Bidirectional
    every: int = 1
    threshold: float = 0.0
    references: Tensor | None = None
    noise: Sequence[Tensor] = ()
    fixed: FixedBuffers = field(default_factory=FixedBuffers)
    link: Link = ONE_DEVICE
    _held: Sequence[Tensor] = field(default=(), init=False)
    _noised: Tensor | None = field(default=None, init=False)
    _due: bool = field(default=True, init=False)
    _steps: int = field(default=0, init=False)
    _made: int = field(default=0, init=False)
    _seen: Tensor | None = field(default=None, init=False)
    _settled: bool = field(default=False, init=False)

    @property
    def kind(self) -> tuple[object, ...] | None:
        """See `ChunkPass.kind`. None: hints of one step are used in another, or come from another device, on which
        nothing is captured: PyTorch's pool of a graph is on one card."""
        if self.every > 1 or self.threshold or self.link.crosses:
            return None
        shares = tuple(share.embedded.shape for share in self.shares)
        return (shares, self.scales.shape, None if self.references is None else self.references.shape)

    def prepare_step(self, sigma: float) -> None:
        """Decide whether the next denoising step computes hints or takes those of an earlier one."""
        self._due = not self._held or (self._steps % self.every == 0 and not self._settled)
        self._steps += 1
        if self._due:
            self._prepare_references(sigma)

    def prepare_history(self) -> None:
        """The next pass writes the finished chunk to the history: it always computes hints, for sigma 0."""
        self._due = True
        self._prepare_references(0.0)

    def take(self, tokens: Tensor, time: TimeEmbedding) -> Sequence[Tensor]:
        """Scaled hints for these noisy tokens `[1, N, dim]`, one `[1, N, dim]` per context block."""
        if self._due:
            self._held = self.link.hints(self._each(tokens, time))
        return self._held

    def watch(self, x0: Tensor) -> None:
        """Compare a step's picture with the previous one. Hints are no longer recomputed once it changes little.

        Waits for the device, because the next operations depend on the answer.
        """
        if not self.threshold:
            return
        if self._seen is not None and not self._settled:
            change = (x0 - self._seen).norm() / x0.norm()
            self._settled = bool(change < self.threshold)
        self._seen = x0

    def _prepare_references(self, sigma: float) -> None:
        if self.references is not None:
            noised = add_noise(self.references, self.noise[self._made], sigma)
            self._noised = self.fixed.put("noised references", noised)
        self._made += 1

    def _each(self, tokens: Tensor, time: TimeEmbedding) -> Iterator[Tensor]:
        ahead = 0
        if self._noised is not None:
            noised, _ = self.wan.embed(self._noised)
            ahead = noised.shape[1]
            tokens = torch.cat((noised, tokens), dim=1)  # the time embedding is the same for all frames
        tokens, time = self.link.there(tokens), replace(time, e0=self.link.there(time.e0))
        made = [self.branch.hints(tokens, share.embedded, time, self.text, self.memory, ahead) for share in self.shares]
        for hints, scale in zip(zip(*made, strict=True), self.scales, strict=True):
            blended = hints[0] if len(hints) == 1 else torch.lerp(hints[0], hints[1], self.shares[1].weight)
            yield blended * scale


class HintBuilder:
    """Makes the ChunkHints of each chunk. It holds tables and no state of the stream."""

    def __init__(self, canvas: Canvas, chunk: int, steps: int, head_dim: int, passes: torch.device, link: Link) -> None:
        """canvas: of the context branch. chunk, steps: most latent frames and most denoising steps of a chunk. passes:
        the device of the base network, where references are noised. link: from there to the context branch."""
        self._canvas, self._steps, self._link = canvas, steps, link
        frames = range(chunk + MAX_REFERENCES)
        self._table = rotary_table(frames, canvas.rows, canvas.columns, head_dim, canvas.device)
        self._noise = torch.Generator(passes)

    def open(
        self, given: ChunkInput, contexts: Sequence[Tensor], state: StreamState, parts: Networks, frames: int
    ) -> ChunkHints:
        """The hints of the next chunk, for inputs that need hints.

        contexts: of the chunk's pictures; see `chunk_contexts`. frames: latent frames of the chunk. The references'
        latents are in `state.references`.
        """
        references = state.references.latents
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
        shares = [
            Share(
                state.fixed.put(f"context {index}", tokens_of),
                state.fixed.put(f"share {index}", self._on_device(np.float32(weight))),
            )
            for index, (tokens_of, weight) in enumerate(zip(embedded, weights, strict=True))
            if weight
        ]
        noise: list[Tensor] = []
        if references is not None:
            references = self._link.back(references)
            seed_noise(self._noise, given.noise_rule, given.seed, state.position, Use.REFERENCES)
            passes = -(-self._steps // given.hint_reuse) + 1  # and the one that writes the history
            shape = tuple(references.shape)
            noise = [draw_noise(shape, self._noise, references.dtype) for _ in range(passes)]
        own = parts.wan.exchange.own_tokens(self._scales(given, parts, frames).squeeze(1)).unsqueeze(1)
        scales = state.fixed.put("scales", own)
        return ChunkHints(
            parts.wan, branch, state.context_text, shares, scales,
            Bidirectional(self._table.first(seen)), given.hint_reuse, given.hint_threshold, references, noise,
            state.fixed, self._link,
        )  # fmt: skip

    def _scales(self, given: ChunkInput, parts: Networks, frames: int) -> Tensor:
        blocks = given.block_scales or (1.0,) * len(parts.branch.vace_blocks)
        scales = self._on_device(np.array([given.context_scale * block for block in blocks], np.float32))
        canvas = self._canvas
        scales = scales[:, None, None, None].expand(-1, -1, frames * canvas.rows * canvas.columns, -1)
        if given.scale_map is None:
            return scales
        place = self._on_device(given.scale_map)
        return scales * scale_tokens(place, frames, parts.codec.temporal_stride, canvas.rows, canvas.columns)

    def _on_device(self, array: np.ndarray | np.generic) -> Tensor:
        host = torch.from_numpy(np.ascontiguousarray(array))
        return to_device(host, self._canvas.device).to(self._canvas.dtype)
