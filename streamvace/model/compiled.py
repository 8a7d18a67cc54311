"""The blocks' dense parts through torch.compile, for the one shape that a steady chunk has.

Everything of a block but its self-attention: norms, modulation, projections, text cross-attention, feed-forward. All
blocks have one shape, so they share a graph. Self-attention stays outside, as its memory is bookkeeping and in-place
writes. Passes of another shape (a stream's first chunk, a recache, references beside the chunk) run uncompiled: a shape
that a show has not met before must never stop it for a compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from streamvace.model.blocks import BlockParts, WanBlock, after_attention, before_attention
from streamvace.system.errors import UserError

Backend = str | Callable[..., Any]

_VARIANTS = 64
"""Guards one code may have before torch gives up on it: two kinds of block, with side LoRAs on, off or in a region. The
default of 8 is meant for code that should not be compiled again and again; here the step would fail."""


def compile_blocks(modules: Sequence[nn.Module], frames: int, frame_tokens: int, backend: Backend = "inductor") -> None:
    """Let every block of these networks run compiled on passes of `frames * frame_tokens` tokens.

    After quantising and after LoRAs are loaded. Compiles the first block now, so that a missing compiler is told before
    a show. Raises UserError with the reason.
    """
    torch._dynamo.config.recompile_limit = _VARIANTS
    parts = BlockParts(
        frames * frame_tokens,
        torch.compile(before_attention, backend=backend, dynamic=False, fullgraph=True),
        torch.compile(after_attention, backend=backend, dynamic=False, fullgraph=True),
    )
    blocks = [each for module in modules for each in module.modules() if isinstance(each, WanBlock)]
    for block in blocks:
        block.compiled = parts
    try:
        _prove(blocks[0], parts, frames)
    except Exception as error:
        line = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UserError(f"--compile blocks does not work here: {line}; run without it") from error


@torch.inference_mode()
def _prove(block: WanBlock, parts: BlockParts, frames: int) -> None:
    x = torch.zeros(1, parts.tokens, block.dim, device=block.modulation.device, dtype=block.modulation.dtype)
    e0 = x.new_zeros(1, frames, 6, block.dim)
    q, k, v, gates = parts.before(block, x, e0)
    text = block.cross_attn.keys_values(x[:, :1])
    parts.after(block, x, q + k + v, text, gates)
