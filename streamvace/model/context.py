"""ContextBranch: noisy chunk + VACE context -> hints (paper section 3; VACE's context blocks, weights unchanged)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from streamvace.model.blocks import ContextBlock, Memory, TextKV
from streamvace.model.specs import WanSize
from streamvace.model.transformer import TimeEmbedding


class ContextBranch(nn.Module):
    """VACE's parallel pathway. It sees [references | chunk], without a cache and without padding.

    Attention inside the branch is bidirectional over what it sees; its rotary positions start at 0, which is as good as
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

    def embed(self, context: Tensor, length: int | None = None) -> Tensor:
        """VACE context `[B, vace_in_dim, T, H, W]` -> what joins the noisy tokens, `[B, N, dim]`.

        It depends on neither noise nor timestep: once a chunk is enough. length: cut or filled up with zero tokens to
        so many, as the published streaming adaptation does; None: all of them.
        """
        c = self.vace_patch_embedding(context).flatten(2).transpose(1, 2)
        if length is not None:
            c = nn.functional.pad(c[:, :length], (0, 0, 0, max(0, length - c.shape[1])))
        joined: Tensor = self.vace_blocks[0].before_proj(c)
        return joined

    def hints(
        self,
        tokens: Tensor,
        embedded: Tensor,
        time: TimeEmbedding,
        text: Sequence[TextKV],
        memory: Memory,
        ahead: int = 0,
    ) -> list[Tensor]:
        """Hints of one pass.

        tokens: the noisy latents after `CausalWan.embed`, `[B, N, dim]`. embedded: from `embed`, `[B, N, dim]`.
        memory: what the branch's self-attention sees: `Bidirectional` over the grid of `tokens`. ahead: so many tokens
        in front (references) take part but get no hint.
        Returns one `[B, N - ahead, dim]` a context block. Raises ValueError when context and noise differ in length.
        """
        if embedded.shape[1] != tokens.shape[1]:
            raise ValueError(f"context has {embedded.shape[1]} tokens, the noisy latents have {tokens.shape[1]}")
        c = embedded + tokens
        hints: list[Tensor] = []
        for index, block in enumerate(self.vace_blocks):
            c = block(c, time.e0, text[index], memory, index)
            hints.append(block.after_proj(c[:, ahead:]))
        return hints

    def forward(
        self, tokens: Tensor, context: Tensor, time: TimeEmbedding, text: Sequence[TextKV], memory: Memory
    ) -> list[Tensor]:
        """`embed` and `hints` at once, as VACE runs over a whole clip."""
        return self.hints(tokens, self.embed(context), time, text, memory)
