"""ContextBranch: noisy chunk + VACE context -> hints (paper section 3; VACE's context blocks, weights unchanged)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from streamvace.model.blocks import ContextBlock, Memory, TextKV
from streamvace.model.specs import WanSize
from streamvace.model.transformer import TimeEmbedding


class ContextBranch(nn.Module):
    """VACE's parallel pathway. It sees one chunk at a time, without a cache and without padding.

    Attention inside the branch is bidirectional over the chunk; its rotary positions start at 0, which is as good as
    absolute ones because rotary attention is relative.
    """

    def __init__(self, size: WanSize) -> None:
        super().__init__()
        self.size = size
        self.vace_patch_embedding = nn.Conv3d(size.vace_in_dim, size.dim, kernel_size=size.patch, stride=size.patch)
        self.vace_blocks: Sequence[ContextBlock] = nn.ModuleList(  # type: ignore[assignment]  # forgets its type
            ContextBlock(size.dim, size.ffn_dim, size.num_heads, size.eps, first=index == 0)
            for index in range(len(size.vace_layers))
        )

    def text_kv(self, embedded: Tensor) -> list[TextKV]:
        """Text keys and values of every context block, from `CausalWan.embed_text`'s result."""
        return [block.cross_attn.keys_values(embedded) for block in self.vace_blocks]

    def forward(
        self,
        tokens: Tensor,
        context: Tensor,
        time: TimeEmbedding,
        text: Sequence[TextKV],
        memory: Memory,
    ) -> list[Tensor]:
        """Hints of one pass.

        tokens: the noisy chunk after `CausalWan.embed`, `[B, N, dim]`. context: `[B, vace_in_dim, T, H, W]`.
        memory: what the branch's self-attention sees: `Bidirectional` over the chunk's own grid.
        Returns one `[B, N, dim]` a context block. Raises ValueError when the context's tokens don't match the chunk's.
        """
        c = self.vace_patch_embedding(context).flatten(2).transpose(1, 2)
        if c.shape[1] != tokens.shape[1]:
            raise ValueError(f"context has {c.shape[1]} tokens, the chunk has {tokens.shape[1]}")
        hints: list[Tensor] = []
        for index, block in enumerate(self.vace_blocks):
            if index == 0:
                c = block.before_proj(c) + tokens
            c = block(c, time.e0, text[index], memory, index)
            hints.append(block.after_proj(c))
        return hints
