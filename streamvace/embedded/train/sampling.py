"""Samples a batch of clips by the live chunk loop, from encoded contexts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from streamvace.embedded.train.network import Network
from streamvace.model.blocks import Bidirectional
from streamvace.model.cache import KVCache
from streamvace.model.noise import StreamNoise
from streamvace.model.rope import rotary_table
from streamvace.model.sampler import pipeline_schedule
from streamvace.model.specs import PIPELINES, CacheRule
from streamvace.stream.chunk_loop import ChunkLoop, ChunkPlan
from streamvace.stream.hints import ChunkHints, Share
from streamvace.stream.stream_state import StreamState

SPEC = PIPELINES["embedded"]


@torch.no_grad()
def stream(
    net: Network,
    tokens: Tensor,
    contexts: Sequence[Tensor | None],
    frames: int,
    side: int,
    seed: int,
    context_scale: float = 1.0,
    hint_reuse: int = 1,
    noise: StreamNoise | None = None,
) -> list[Tensor]:
    """Latents of every chunk, each `[B, 32, frames, side, side]`.

    contexts: one `[B, 128, frames, side, side]` per chunk; None for a chunk without control. frames: latent frames per
    chunk; a whole clip in one chunk is the bidirectional batch. context_scale, hint_reuse: as in ChunkInput. noise:
    None means that of the live stream.
    """
    spec = replace(SPEC, chunk=frames, first_chunk=frames, cache=CacheRule(window=2 * frames, sink=0))
    noise = noise or StreamNoise("cpu", spec.shared_noise, spec.noise_tile)
    wan, branch, cells = net.transformer, net.context, side // 2
    state = StreamState(KVCache(wan.size, spec.cache, cells, cells, batch=len(tokens)))
    text = wan.embed_text(net.text_encoder(tokens))
    state.text, state.context_text = wan.text_kv(text), branch.text_kv(text)
    loop, schedule = ChunkLoop(spec, wan, state), pipeline_schedule(spec)
    local = Bidirectional(rotary_table(range(frames), cells, cells, wan.size.head_dim, "cpu"))
    scales = torch.full((len(branch.vace_blocks), 1, 1, 1), context_scale)

    def chunk(context: Tensor | None) -> Tensor:
        noise.begin_chunk(seed, state.position)
        start = noise.draw((len(tokens), wan.size.in_dim, frames, side, side), torch.float32)
        hints = None
        if context is not None:
            shares = [Share(branch.embed(context), torch.ones(()))]
            hints = ChunkHints(wan, branch, state.context_text, shares, scales, local, hint_reuse)
        return loop.generate(ChunkPlan(start, schedule, noise.draw_later(start, len(schedule.timesteps)), hints))

    return [chunk(context) for context in contexts]
