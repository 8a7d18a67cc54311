"""The dense parts of the blocks through torch.compile, for the shape of a steady chunk.

Compiled is everything but self-attention: norms, modulation, projections, text cross-attention, feed-forward. All
blocks have the same shape and share a graph. Self-attention stays outside because its memory consists of bookkeeping
and in-place writes. Passes of another shape (a stream's first chunk, a recache, references beside the chunk) run
uncompiled, so a new shape never stops a show for the compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any, TypeVar, cast

import torch
from torch import nn

from streamvace.model.blocks import BlockParts, WanBlock, after_attention, before_attention
from streamvace.system.errors import UserError

Backend = str | Callable[..., Any]
F = TypeVar("F", bound=Callable[..., Any])

_VARIANTS = 64
"""Compiled variants per function before torch gives up: two kinds of block, with side LoRAs on, off or in a region.
With torch's default of 8, the step would fail."""


def compile_blocks(modules: Sequence[nn.Module], frames: int, frame_tokens: int, backend: Backend = "inductor") -> None:
    """Compile every block of these networks for passes of `frames * frame_tokens` tokens.

    Call it after quantising and after loading LoRAs. It compiles the first block at once, so that a missing compiler is
    reported before the show. Raises UserError with the reason.
    """
    parts = BlockParts(frames * frame_tokens, _compiled(before_attention, backend), _compiled(after_attention, backend))
    blocks = [each for module in modules for each in module.modules() if isinstance(each, WanBlock)]
    for block in blocks:
        block.compiled = parts
    try:
        _prove(blocks[0], parts)
    except Exception as error:
        line = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UserError(f"--compile blocks does not work here: {line}; run without it") from error


def _compiled(half: F, backend: Backend) -> F:
    options: dict[str, Any] = {"backend": backend, "dynamic": False, "fullgraph": True}
    if "recompile_limit" in signature(torch.compile).parameters:
        # The setting below holds only in the thread that makes it, since torch 2.13.
        options["recompile_limit"] = _VARIANTS
    else:
        torch._dynamo.config.recompile_limit = _VARIANTS
    return cast(F, torch.compile(half, **options))


@torch.inference_mode()
def _prove(block: WanBlock, parts: BlockParts) -> None:
    x = torch.zeros(1, parts.tokens, block.dim, device=block.modulation.device, dtype=block.modulation.dtype)
    q, k, v, gates = parts.before(block, x, x.new_zeros(1, 1, 6, block.dim))
    text = block.cross_attn.keys_values(x[:, :1])
    parts.after(block, x, q + k + v, text, gates)
