"""ContextBranch: noisy chunk + VACE context -> hints (paper section 3; VACE's context blocks with their weights)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from streamvace.model.blocks import ContextBlock, Memory, TextKV, modulations
from streamvace.model.exchange import ALONE, Exchange
from streamvace.model.patches import PatchEmbedding
from streamvace.model.specs import WanSize
from streamvace.model.transformer import TimeEmbedding


class ContextBranch(nn.Module):
    """VACE's parallel branch. It processes [references | chunk], without a cache and without padding.

    Its attention is bidirectional. Rotary positions start at 0, which is equivalent to absolute ones because rotary
    attention is relative.

    exchange: as in CausalWan.
    """

    exchange: Exchange = ALONE

    def __init__(self, size: WanSize) -> None:
        super().__init__()
        self.size = size
        self.vace_patch_embedding = PatchEmbedding(size.vace_in_dim, size.dim, size.patch)
        self.vace_blocks: Sequence[ContextBlock] = nn.ModuleList(  # type: ignore[assignment]  # forgets its type
            ContextBlock(size.dim, size.ffn_dim, size.num_heads, size.eps, first=index == 0)
            for index in range(len(size.vace_layers))
        )

    def text_kv(self, embedded: Tensor) -> list[TextKV]:
        """Text keys and values of every context block, from `CausalWan.embed_text`'s result."""
        return [block.cross_attn.keys_values(embedded) for block in self.vace_blocks]

    def embed(self, context: Tensor, length: int | None = None) -> Tensor:
        """VACE context `[B, vace_in_dim, T, H, W]` -> its embedding `[B, N, dim]`, which is added to the noisy tokens.

        It depends on neither noise nor timestep, so one call per chunk is enough. length: cut, or pad with zero tokens,
        to this length, as in the published streaming adaptation; None: keep all tokens.
        """
        c: Tensor = self.vace_patch_embedding(context)
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
    ) -> Iterator[Tensor]:
        """The hints of one pass. Each is computed when it is asked for.

        tokens: the noisy latents after `CausalWan.embed`, `[B, N, dim]`. embedded: from `embed`, `[B, N, dim]`.
        memory: `Bidirectional` over the grid of `tokens`. ahead: the number of leading tokens (references) that take
        part but get no hint.
        Yields `[B, N - ahead, dim]` per context block; of these, this process's tokens. Raises ValueError if context
        and noise differ in length.
        """
        if embedded.shape[1] != tokens.shape[1]:
            raise ValueError(f"context has {embedded.shape[1]} tokens, the noisy latents have {tokens.shape[1]}")
        memory = self.exchange.over(memory, tokens.shape[1], ahead)
        c = self.exchange.own_tokens(embedded + tokens, ahead)
        ahead = self.exchange.own_count(ahead)
        for index, (block, modulation) in enumerate(
            zip(self.vace_blocks, modulations(self.vace_blocks, time.e0), strict=True)
        ):
            c = block(c, modulation, text[index], memory, index)
            yield block.after_proj(c[:, ahead:])

    def forward(
        self, tokens: Tensor, context: Tensor, time: TimeEmbedding, text: Sequence[TextKV], memory: Memory
    ) -> list[Tensor]:
        """`embed` and `hints` in one call, for a whole clip as in VACE."""
        return list(self.hints(tokens, self.embed(context), time, text, memory))
