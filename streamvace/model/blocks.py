"""The transformer's parts, with Wan2.1's parameter names.

A block does not know where its keys come from. Self-attention passes this layer's q, k and v to a `Memory` (a stream's
cache, a bidirectional pass, a training mask), which returns the attended values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from streamvace.model.attention import sdpa
from streamvace.model.rope import RotaryTable

TextKV = tuple[Tensor, Tensor]
"""Keys and values of the text for one block, each `[B, text_len, heads, head_dim]`."""

Gates = tuple[Tensor, Tensor, Tensor, Tensor]
"""The gate of self-attention, and shift, factor and gate of the feed-forward part, each `[B, T, 1, dim]`."""


class Memory(Protocol):
    """The keys and values that self-attention reads."""

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """q, k, v of the current tokens, unrotated, each `[B, N, heads, D]` -> attended values `[B, N, heads, D]`."""


class Bidirectional:
    """Every token attends to every token of the same pass, for the context branch, batch VACE and training."""

    def __init__(self, rotary: RotaryTable, mask: Tensor | None = None) -> None:
        """mask: bool `[N, N]`, True = attend; None: attend to everything."""
        self._rotary = rotary
        self._mask = mask

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """See Memory.attend."""
        return sdpa(self._rotary.rotate(q), self._rotary.rotate(k), v, self._mask)


class RMSNorm(nn.Module):
    """Root-mean-square norm over the full width (before the head split), computed in fp32."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        """`[..., dim]` -> `[..., dim]`."""
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.eps)


class JoinedProjections(nn.Module):
    """The projections q, k and v of self-attention as one matrix product, and the norms of q and k as one."""

    def __init__(self, qkv: nn.Linear, norm: nn.Parameter, num_heads: int, eps: float) -> None:
        """qkv: `dim -> 3 dim`. norm: weights of the norms of q and k, `[2, dim]`."""
        super().__init__()
        self.qkv, self.norm = qkv, norm
        self.num_heads, self.eps = num_heads, eps

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`[B, N, dim]` -> q, k and v, each `[B, N, heads, head_dim]`."""
        dim = x.shape[-1]
        made = self.qkv(x).unflatten(-1, (3, dim))
        normed = F.rms_norm(made[:, :, :2], (dim,), eps=self.eps) * self.norm
        heads = (self.num_heads, -1)
        q, k = normed.unflatten(-1, heads).unbind(2)
        return q, k, made[:, :, 2].unflatten(-1, heads)


class Attention(nn.Module):
    """The projections of self- and cross-attention; q and k are normalised over the full width.

    joined: takes the place of `q`, `k`, `v` and their norms; see `model.joined`.
    """

    def __init__(self, dim: int, num_heads: int, eps: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.q = nn.Linear(dim, dim)
        self.k = nn.Linear(dim, dim)
        self.v = nn.Linear(dim, dim)
        self.o = nn.Linear(dim, dim)
        self.norm_q = RMSNorm(dim, eps)
        self.norm_k = RMSNorm(dim, eps)
        self.joined: JoinedProjections | None = None

    def projections(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """q, k and v of the same tokens: `[B, N, dim]` -> each `[B, N, heads, head_dim]`."""
        if self.joined is not None:
            made: tuple[Tensor, Tensor, Tensor] = self.joined(x)
            return made
        return self.queries(x), *self.keys_values(x)

    def queries(self, x: Tensor) -> Tensor:
        """`[B, N, dim]` -> `[B, N, heads, head_dim]`."""
        q: Tensor = self.norm_q(self.q(x)).unflatten(-1, (self.num_heads, -1))
        return q

    def keys_values(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """`[B, N, dim]` -> keys and values, each `[B, N, heads, head_dim]`."""
        heads = (self.num_heads, -1)
        return self.norm_k(self.k(x)).unflatten(-1, heads), self.v(x).unflatten(-1, heads)


class WanBlock(nn.Module):
    """Self-attention, text cross-attention and feed-forward, modulated per latent frame (Wan2.1 section 1.2).

    compiled: the same computation compiled for passes of one length; see `model.compiled`.
    """

    compiled: BlockParts | None = None

    def __init__(self, dim: int, ffn_dim: int, num_heads: int, eps: float) -> None:
        super().__init__()
        self.dim, self.eps = dim, eps
        self.self_attn = Attention(dim, num_heads, eps)
        self.norm3 = nn.LayerNorm(dim, eps)
        self.cross_attn = Attention(dim, num_heads, eps)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(approximate="tanh"), nn.Linear(ffn_dim, dim))
        self.modulation = nn.Parameter(torch.empty(1, 6, dim).normal_(std=dim**-0.5))

    def forward(self, x: Tensor, modulation: Tensor, text: TextKV, memory: Memory, layer: int) -> Tensor:
        """One block.

        x: `[B, N, dim]`. modulation: this block's from `modulations`. text: this block's text K/V.
        layer: this block's index in `memory`. Returns `[B, N, dim]`.
        """
        parts = self.compiled if self.compiled is not None and self.compiled.tokens == x.shape[1] else _AS_WRITTEN
        q, k, v, gates = parts.before(self, x, modulation)
        return parts.after(self, x, memory.attend(layer, q, k, v), text, gates)


def modulations(blocks: Iterable[WanBlock], e0: Tensor) -> tuple[Tensor, ...]:
    """What each block modulates with at a timestep: shift, 1 + scale and gate of both parts, `[B, T, 6, dim]`.

    e0: `[B, T, 6, dim]`, T = 1 for one timestep in all frames. All blocks take two operations instead of three each.
    """
    made = torch.stack([block.modulation.unsqueeze(1) for block in blocks]) + e0
    made[:, :, :, 1::3] += 1
    return made.unbind(0)


def modulated(x: Tensor, shift: Tensor, factor: Tensor, eps: float) -> Tensor:
    """Normalise `x` `[B, N, dim]` and modulate it with shift and factor `[B, T, 1, dim]`, N / T tokens per frame."""
    width = x.shape[-1:]
    if shift.shape[:2] == (1, 1):
        return F.layer_norm(x, width, factor.flatten(), shift.flatten(), eps)  # one pass over memory instead of two
    normed = F.layer_norm(x, width, eps=eps).unflatten(1, (shift.shape[1], -1))
    return torch.addcmul(shift, normed, factor).flatten(1, 2)


def before_attention(block: WanBlock, x: Tensor, modulation: Tensor) -> tuple[Tensor, Tensor, Tensor, Gates]:
    """From a block's input to q, k and v of its self-attention, and the gates of the rest of the block."""
    shift_sa, factor_sa, gate_sa, shift_ff, factor_ff, gate_ff = modulation.split(1, dim=2)
    h = modulated(x, shift_sa, factor_sa, block.eps)
    return *block.self_attn.projections(h), (gate_sa, shift_ff, factor_ff, gate_ff)


def after_attention(block: WanBlock, x: Tensor, attended: Tensor, text: TextKV, gates: Gates) -> Tensor:
    """From the attended values `[B, N, heads, head_dim]` to the block's output `[B, N, dim]`."""
    gate_sa, shift_ff, factor_ff, gate_ff = gates
    frames = gate_sa.shape[1]
    attended = block.self_attn.o(attended.flatten(2))
    x = torch.addcmul(x.unflatten(1, (frames, -1)), attended.unflatten(1, (frames, -1)), gate_sa).flatten(1, 2)
    cross = block.cross_attn
    x = x + cross.o(sdpa(cross.queries(block.norm3(x)), *text).flatten(2))
    out: Tensor = block.ffn(modulated(x, shift_ff, factor_ff, block.eps))
    return torch.addcmul(x.unflatten(1, (frames, -1)), out.unflatten(1, (frames, -1)), gate_ff).flatten(1, 2)


@dataclass(frozen=True)
class BlockParts:
    """A block's two halves, before and after self-attention. tokens: the length of the passes they are made for."""

    tokens: int
    before: Callable[[WanBlock, Tensor, Tensor], tuple[Tensor, Tensor, Tensor, Gates]]
    after: Callable[[WanBlock, Tensor, Tensor, TextKV, Gates], Tensor]


_AS_WRITTEN = BlockParts(0, before_attention, after_attention)


class ContextBlock(WanBlock):
    """A Wan block of the context branch; its projected output is the hint of one main block (VACE)."""

    def __init__(self, dim: int, ffn_dim: int, num_heads: int, eps: float, first: bool) -> None:
        """first: the branch's first block also has `before_proj`, which projects the context."""
        super().__init__(dim, ffn_dim, num_heads, eps)
        if first:
            self.before_proj = nn.Linear(dim, dim)
        self.after_proj = nn.Linear(dim, dim)


class Head(nn.Module):
    """The final norm, modulation and projection to patches."""

    def __init__(self, dim: int, out_features: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.head = nn.Linear(dim, out_features)
        self.modulation = nn.Parameter(torch.empty(1, 2, dim).normal_(std=dim**-0.5))

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        """x `[B, N, dim]`, e `[B, T, dim]` (before the time projection) -> `[B, N, out_features]`."""
        shift, scale = (self.modulation.unsqueeze(1) + e.unsqueeze(2)).split(1, dim=2)
        out: Tensor = self.head(modulated(x, shift, 1 + scale, self.eps))
        return out
