"""Sampling as the live stream does it: four steps, then a clean pass that writes the cache, chunk after chunk."""

from __future__ import annotations

import torch
from torch import Tensor

from streamvace.embedded.train.network import Network
from streamvace.model.blocks import Bidirectional
from streamvace.model.cache import KVCache
from streamvace.model.rope import rotary_table
from streamvace.model.sampler import mix_noise
from streamvace.model.specs import PIPELINES, CacheRule

STEPS = (1.0, 0.9, 0.75, 0.5)
CACHE_T = 0.03
SHARED_NOISE = PIPELINES["embedded"].shared_noise


@torch.no_grad()
def stream(
    net: Network,
    tokens: Tensor,
    contexts: list[Tensor | None],
    frames: int,
    side: int,
    seed: int,
    steps: tuple[float, ...] = STEPS,
    context_scale: float = 1.0,
    hint_reuse: int = 1,
) -> list[Tensor]:
    """Latents of every chunk, each `[B, 32, frames, side, side]`.

    contexts: one `[B, 128, frames, side, side]` a chunk, or None for a chunk without control. frames: latent frames a
    chunk; a whole clip in one chunk is the bidirectional batch. context_scale: strength of the hints. hint_reuse: hints
    are made anew every so many steps.
    """
    model, generator = net.transformer, torch.Generator().manual_seed(seed)
    batch, cells = tokens.shape[0], side // 2
    text = model.embed_text(net.text_encoder(tokens))
    kv, context_kv = model.text_kv(text), net.context.text_kv(text)
    cache = KVCache(model.size, CacheRule(window=2 * frames, sink=0), cells, cells, batch=batch)
    local = rotary_table(range(frames), cells, cells, model.size.head_dim, "cpu")
    shape = (batch, model.size.in_dim, frames, side, side)
    common = [torch.randn((*shape[:2], 1, side, side), generator=generator) for _ in steps]
    chunks: list[Tensor] = []
    for number, context in enumerate(contexts):
        memory = cache.chunk(number * frames, frames)

        x0, hints = torch.zeros(shape), list[Tensor]()
        for step, t in enumerate(steps):
            noise = mix_noise(torch.randn(shape, generator=generator), common[step], SHARED_NOISE)
            x, grid = model.embed((1 - t) * x0 + t * noise)
            time = model.embed_time(torch.full((batch, frames), t * 1000))
            if context is not None and step % hint_reuse == 0:
                hints = net.context(x, context, time, context_kv, Bidirectional(local))
            x0 = model.run(x, grid, time, kv, memory, hints, context_scale)
        x, grid = model.embed(x0)
        model.run(x, grid, model.embed_time(torch.full((batch, frames), CACHE_T * 1000)), kv, memory, [])
        chunks.append(x0)
    return chunks
