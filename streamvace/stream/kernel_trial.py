"""The chosen attention kernel against PyTorch's own, in one real pass of the whole network.

`choose_kernel` tries a kernel alone, on made-up keys. Here it runs in every layer, on the weights and the cache of the
pipeline, where a fault of one layer reaches the next.
"""

from __future__ import annotations

import torch
from torch import Tensor

from streamvace.model.attention import Kernel, sdpa
from streamvace.model.specs import PipelineSpec
from streamvace.model.transformer import CausalWan
from streamvace.stream.stream_state import StreamState

PASS_LIMIT = 0.2
"""Largest difference of a pass, relative to its mean magnitude. A kernel that is off by its whole limit in every layer
(8 %) stays below it; one that gives noise or black is off by more than a half."""


@torch.inference_mode()
def fault_in_network(
    kernel: Kernel, spec: PipelineSpec, wan: CausalWan, state: StreamState, shape: tuple[int, int]
) -> str:
    """Compare the next chunk's pass over the stream's cache with PyTorch's own attention.

    The stream needs its prompt and at least one chunk; the chunk after that overwrites what the trial leaves in the
    cache. shape: rows and columns of a latent. Returns why the kernel cannot be used; empty if it can.
    """
    if kernel is sdpa:
        return ""
    source = torch.Generator().manual_seed(0)
    drawn = torch.randn((1, spec.size.in_dim, spec.chunk, *shape), generator=source)
    ours, theirs = (_pass(spec, wan, state, drawn, each) for each in (kernel, sdpa))
    difference = float((ours - theirs).abs().mean() / theirs.abs().mean())
    return (
        ""
        if difference < PASS_LIMIT
        else f"differs from SDPA by {difference:.2g} in a pass of the network, more than {PASS_LIMIT:g}"
    )


def _pass(spec: PipelineSpec, wan: CausalWan, state: StreamState, drawn: Tensor, kernel: Kernel) -> Tensor:
    state.cache.kernel = kernel
    memory = state.cache.chunk(state.position, spec.chunk)
    home = wan.head.modulation
    tokens, grid = wan.embed(drawn.to(home.device, home.dtype))
    time = wan.embed_time(torch.full((1, 1), float(spec.steps[0]), device=home.device))
    return wan.run(tokens, grid, time, state.text, memory).float()
