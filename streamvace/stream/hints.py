"""The hints of one chunk: which context its inputs ask for, and when the context branch runs over it.

The mode is inferred from the inputs, never named: control, mask, references, first and last frame and a second control
compose in any way. What does not depend on the noise (encoding, the context's tokens) is made once a chunk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from streamvace.conditioning.context import ContextState, encode_context, reference_context, second_context
from streamvace.conditioning.extension import place_anchors
from streamvace.conditioning.pixels import Canvas, to_mask, to_pixels
from streamvace.conditioning.region import scale_tokens
from streamvace.model.blocks import Bidirectional, TextKV
from streamvace.model.context import ContextBranch
from streamvace.model.rope import rotary_table
from streamvace.model.sampler import add_noise, draw_noise
from streamvace.model.transformer import CausalWan, TimeEmbedding
from streamvace.records.chunk import MAX_REFERENCES, ChunkInput, Pixels
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


class ChunkHints:
    """Makes the hints of one chunk's passes; how often is `hint_reuse` and `hint_threshold` of its ChunkInput."""

    def __init__(
        self,
        wan: CausalWan,
        branch: ContextBranch,
        text: Sequence[TextKV],
        shares: Sequence[Share],
        scales: Sequence[float | Tensor],
        memory: Bidirectional,
        references: Tensor | None,
        noise: torch.Generator,
        every: int,
        threshold: float,
    ) -> None:
        """scales: of each context block's hint, a factor or `[1, N, 1]`. memory: over [references | chunk].

        references: latents `[1, C, n, h, w]` that stand before the chunk, or None. noise: what they are noised with.
        """
        self._wan, self._branch, self._text = wan, branch, text
        self._shares, self._scales, self._memory = shares, scales, memory
        self._references, self._noise = references, noise
        self._every, self._threshold = every, threshold
        self._held: list[Tensor] = []
        self._steps = 0
        self._seen: Tensor | None = None
        self._settled = False

    def step(self, tokens: Tensor, time: TimeEmbedding, sigma: float) -> list[Tensor]:
        """Hints of the next denoising step, one `[1, N, dim]` a context block: made anew, or those of a step before."""
        if not self._held or (self._steps % self._every == 0 and not self._settled):
            self._held = self.make(tokens, time, sigma)
        self._steps += 1
        return self._held

    def watch(self, x0: Tensor) -> None:
        """Take notice of a step's picture: one that no longer changes needs no new hints."""
        if not self._threshold:
            return
        if self._seen is not None and not self._settled:
            change = (x0 - self._seen).norm() / x0.norm()
            self._settled = bool(change < self._threshold)
        self._seen = x0

    def make(self, tokens: Tensor, time: TimeEmbedding, sigma: float) -> list[Tensor]:
        """Hints for these noisy tokens `[1, N, dim]`, scaled."""
        ahead = 0
        if self._references is not None:
            drawn = draw_noise(tuple(self._references.shape), self._noise, self._references.dtype)
            noised, grid = self._wan.embed(add_noise(self._references, drawn, sigma))
            ahead = noised.shape[1]
            tokens = torch.cat((noised, tokens), dim=1)
            time = _with_frames_ahead(time, grid.frames)
        made = [
            self._branch.hints(tokens, share.embedded, time, self._text, self._memory, ahead) for share in self._shares
        ]
        blended = made[0]
        if len(made) == 2:
            weight = self._shares[1].weight
            blended = [torch.lerp(one, other, weight) for one, other in zip(*made, strict=True)]
        return [hint * scale for hint, scale in zip(blended, self._scales, strict=True)]


class HintBuilder:
    """Opens the hints of each chunk of a stream; it holds tables, and nothing of the stream."""

    def __init__(self, canvas: Canvas, chunk: int, head_dim: int) -> None:
        """chunk: most latent frames of a chunk."""
        self._canvas = canvas
        frames = range(chunk + MAX_REFERENCES)
        self._table = rotary_table(frames, canvas.rows, canvas.columns, head_dim, canvas.device)
        self._noise = torch.Generator(canvas.device)

    def open(
        self, given: ChunkInput, state: StreamState, parts: Networks, frames: int, pixels: int
    ) -> ChunkHints | None:
        """The hints of the next chunk, or None when its inputs ask for none. Takes the encoder streams along.

        frames: latent frames of the chunk. pixels: its pixel frames. The references' latents are `state.references`'.
        """
        if not wants_hints(given):
            # The encoder streams are interrupted; they start afresh when control returns.
            state.context = ContextState()
            return None
        references = state.references.latents
        contexts = self._encode(given, state, parts, pixels)
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
            references, self._noise, given.hint_reuse, given.hint_threshold,
        )  # fmt: skip

    def _encode(self, given: ChunkInput, state: StreamState, parts: Networks, pixels: int) -> list[Tensor]:
        """The chunk's VACE contexts `[1, vace_in_dim, f, h, w]`: of the control, and of the second one if there is one.

        Where nothing is given to follow the control is mid grey with everything to generate, as VACE takes it; in
        `paper` mode references alone come with nothing behind them, an empty context.
        """
        canvas, codec, first = self._canvas, parts.codec, state.position == 0
        mask = given.mask
        control = given.control
        if control is None and mask is not None:
            control = _own_output(state.last_frames, pixels, canvas)
        if mask is not None and mask.min() > 127:
            mask = None
        anchors = place_anchors(given.first_frame, given.last_frame, pixels, canvas.device, canvas.dtype)
        packed = None if mask is None else to_mask(mask, canvas.device, canvas.dtype)
        if control is None:
            shape = (1, 3, pixels, canvas.height, canvas.width)
            followed = torch.zeros(shape, device=canvas.device, dtype=canvas.dtype)
        else:
            followed = to_pixels(control, canvas.device, canvas.dtype)
        context, streams = encode_context(codec, state.context, followed, packed, first, anchors)
        contexts = [context]
        if given.second_control is None:
            streams = replace(streams, second=None)
        else:
            other = to_pixels(given.second_control, canvas.device, canvas.dtype)
            beside, streams = second_context(codec, streams, context, other, packed, first, anchors)
            contexts.append(beside)
        # Grey that only stands for a control is no past for the control to come.
        state.context = replace(streams, reactive=None) if control is None else streams
        nothing = control is None and given.second_control is None and not anchors
        return [context[:, :, :0]] if nothing and given.reference_mode == "paper" else contexts

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


def _own_output(last: Pixels | None, count: int, canvas: Canvas) -> Pixels:
    """The stream's last frames as control, `[count, H, W, 3]`; mid grey before there are any."""
    if last is None:
        return np.full((count, canvas.height, canvas.width, 3), 128, np.uint8)
    return last[np.clip(np.arange(len(last) - count, len(last)), 0, None)]
