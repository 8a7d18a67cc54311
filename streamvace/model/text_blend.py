"""Blending text embeddings: several prompts as one.

As in Daydream Scope: linear blends keep the weighted mean of the embeddings' lengths (a plain sum of unlike prompts is
shorter than either, and a short embedding is a weak prompt); spherical ones turn each token's vector.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

PARALLEL = 1e-4
"""Sine of an angle below which two vectors point the same way, or opposite ways: there the arc is a straight line, or
no single arc exists, and the plain blend is taken."""


def blend_linear(embeddings: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Weighted sum, as long as its parts are on average. embeddings: each `[..., dim]`; weights: with the sum 1."""
    parts = [embedding.float() for embedding in embeddings]
    mixed = torch.stack([part * weight for part, weight in zip(parts, weights, strict=True)]).sum(dim=0)
    length = torch.stack([part.norm() * weight for part, weight in zip(parts, weights, strict=True)]).sum()
    # Opposite embeddings may cancel to nothing, which has no direction to be stretched in.
    scale = torch.where(mixed.norm() > 0, length / mixed.norm().clamp_min(torch.finfo(torch.float32).tiny), 1.0)
    return (mixed * scale).to(embeddings[0].dtype)


def blend_slerp(embeddings: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Each row turned from one embedding to the next, `[..., dim]`; more than two one after the other.

    A row that is zero in one of them (a shorter prompt's end), or parallel, is blended in a straight line.
    """
    turned, sum_so_far = embeddings[0].float(), weights[0]
    for embedding, weight in zip(embeddings[1:], weights[1:], strict=True):
        sum_so_far += weight
        turned = slerp(turned, embedding.float(), weight / sum_so_far)
    return turned.to(embeddings[0].dtype)


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """Spherical interpolation of fp32 rows `[..., dim]`, 0..1 from a to b, row by row."""
    lengths = a.norm(dim=-1, keepdim=True) * b.norm(dim=-1, keepdim=True)
    tiny = torch.finfo(torch.float32).tiny
    cosine = ((a * b).sum(dim=-1, keepdim=True) / lengths.clamp_min(tiny)).clamp(-1, 1)
    angle = cosine.acos()
    sine = angle.sin()
    straight = (lengths <= tiny) | (sine < PARALLEL)
    safe = torch.where(straight, 1.0, sine)
    arc = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / safe
    return torch.where(straight, torch.lerp(a, b, t), arc)
