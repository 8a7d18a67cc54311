"""CausalWan: the transformer of every pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from streamvace.model.blocks import Head, Memory, TextKV, WanBlock, modulations
from streamvace.model.device import exact_dtype
from streamvace.model.exchange import ALONE, Exchange
from streamvace.model.patches import PatchEmbedding
from streamvace.model.specs import WanSize


@dataclass(frozen=True)
class Grid:
    """Shape of a pass in tokens: latent frames, rows and columns."""

    frames: int
    height: int
    width: int

    @property
    def frame_tokens(self) -> int:
        """Tokens of one latent frame."""
        return self.height * self.width


@dataclass(frozen=True)
class TimeEmbedding:
    """e: `[B, T, dim]` for the head. e0: `[B, T, 6, dim]` for the blocks. T = 1: one timestep for all frames."""

    e: Tensor
    e0: Tensor


def sinusoid(t: Tensor, dim: int, dtype: torch.dtype | None = None) -> Tensor:
    """Timestep features, cosines first: `[...]` -> `[..., dim]`. dtype: of the angles; None = float64, as in Wan2.1."""
    half = dim // 2
    dtype = dtype or exact_dtype(t.device)
    frequencies = 10000.0 ** -(torch.arange(half, dtype=dtype, device=t.device) / half)
    angles = t.to(dtype).unsqueeze(-1) * frequencies
    return torch.cat((angles.cos(), angles.sin()), dim=-1)


class CausalWan(nn.Module):
    """Wan2.1's text-to-video transformer with a timestep per latent frame and self-attention through a Memory.

    A pass is `embed` -> (hints from a ContextBranch) -> `run`. They are separate because the context branch takes the
    embedded noisy chunk before the first block.

    exchange: divides its tokens and heads among processes.
    """

    exchange: Exchange = ALONE

    def __init__(self, size: WanSize) -> None:
        super().__init__()
        self.size = size
        dim = size.dim
        self.patch_embedding = PatchEmbedding(size.in_dim, dim, size.patch)
        self.text_embedding = nn.Sequential(nn.Linear(size.text_dim, dim), nn.GELU("tanh"), nn.Linear(dim, dim))
        self.time_embedding = nn.Sequential(nn.Linear(size.freq_dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.time_projection = nn.Sequential(nn.SiLU(), nn.Linear(dim, dim * 6))
        self.blocks: Sequence[WanBlock] = nn.ModuleList(  # type: ignore[assignment]  # a ModuleList has no element type
            WanBlock(dim, size.ffn_dim, size.num_heads, size.eps) for _ in range(size.num_layers)
        )
        self.head = Head(dim, size.patch[0] * size.patch[1] * size.patch[2] * size.out_dim, size.eps)

    def embed(self, x: Tensor) -> tuple[Tensor, Grid]:
        """Latents `[B, C, T, H, W]` -> tokens `[B, N, dim]` in (t, h, w) order, and their grid."""
        grid = (side // of_patch for side, of_patch in zip(x.shape[2:], self.size.patch, strict=True))
        return self.patch_embedding(x), Grid(*grid)

    def embed_time(self, t: Tensor) -> TimeEmbedding:
        """Embeddings of timesteps `[B, T]` in 0..1000, one per latent frame or T = 1 for all; fractions are allowed."""
        dtype = self.head.modulation.dtype  # layers may compute in fp32; see product_check
        e = self.time_embedding(sinusoid(t, self.size.freq_dim).to(dtype))
        return TimeEmbedding(e, self.time_projection(e).unflatten(-1, (6, -1)))

    def embed_text(self, text: Tensor) -> Tensor:
        """Text embeddings `[B, L, text_dim]`, L <= text_len -> `[B, text_len, dim]`.

        Text is padded with zeros. Padding rows are embedded and attended too, as in Wan's training. Raises ValueError
        for a longer text.
        """
        missing = self.size.text_len - text.shape[1]
        if missing < 0:
            raise ValueError(f"text has {text.shape[1]} rows, the model takes at most {self.size.text_len}")
        out: Tensor = self.text_embedding(nn.functional.pad(text, (0, 0, 0, missing)))
        return out

    def text_kv(self, embedded: Tensor) -> list[TextKV]:
        """Text keys and values of every block, from the result of `embed_text`; computed once per prompt."""
        return [block.cross_attn.keys_values(embedded) for block in self.blocks]

    def run(
        self,
        tokens: Tensor,
        grid: Grid,
        time: TimeEmbedding,
        text: Sequence[TextKV],
        memory: Memory,
        hints: Sequence[Tensor] = (),
    ) -> Tensor:
        """The blocks and the head.

        tokens, grid: from `embed`. text: from `text_kv`. hints: one `[B, N, dim]` per context block, or none;
        of N, this process's tokens. Each is taken when its block has run, so it may still be on its way.
        Returns the network's output `[B, out_dim, T, H, W]`.
        """
        if hints and len(hints) != len(self.size.vace_layers):
            raise ValueError(f"{len(hints)} hints for {len(self.size.vace_layers)} context blocks")
        hint_of = {layer: index for index, layer in enumerate(self.size.vace_layers)} if hints else {}
        memory = self.exchange.over(memory, tokens.shape[1])
        x = self.exchange.own_tokens(tokens)
        for layer, (block, modulation) in enumerate(zip(self.blocks, modulations(self.blocks, time.e0), strict=True)):
            x = block(x, modulation, text[layer], memory, layer)
            if layer in hint_of:
                x = x + hints[hint_of[layer]]
        return self._unpatchify(self.exchange.all_tokens(self.head(x, time.e), tokens.shape[1]), grid)

    def _unpatchify(self, x: Tensor, grid: Grid) -> Tensor:
        """`[B, N, pt * ph * pw * C]`, channel last -> `[B, C, T, H, W]`."""
        pt, ph, pw = self.size.patch
        x = x.view(x.shape[0], grid.frames, grid.height, grid.width, pt, ph, pw, self.size.out_dim)
        x = x.permute(0, 7, 1, 4, 2, 5, 3, 6)
        return x.reshape(x.shape[0], self.size.out_dim, grid.frames * pt, grid.height * ph, grid.width * pw)
