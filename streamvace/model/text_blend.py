"""Blending of the text embeddings of several prompts, as in Daydream Scope.

Linear blends keep the weighted mean of the embeddings' norms: a plain sum of unlike prompts is shorter than either, and
a short embedding is a weak prompt. Spherical blends rotate each token's vector.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

PARALLEL = 1e-4
"""Sine of an angle below which two vectors count as parallel or opposite. The arc between them is then straight or not
unique, and they are blended linearly."""


def blend_linear(embeddings: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Weighted sum, scaled to the weighted mean of the norms. embeddings: each `[..., dim]`. weights: sum 1."""
    parts = [embedding.float() for embedding in embeddings]
    mixed = torch.stack([part * weight for part, weight in zip(parts, weights, strict=True)]).sum(dim=0)
    length = torch.stack([part.norm() * weight for part, weight in zip(parts, weights, strict=True)]).sum()
    # Opposite embeddings may cancel to zero, which has no direction to scale.
    scale = torch.where(mixed.norm() > 0, length / mixed.norm().clamp_min(torch.finfo(torch.float32).tiny), 1.0)
    return (mixed * scale).to(embeddings[0].dtype)


def blend_slerp(embeddings: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Spherical blend of each row, `[..., dim]`; more than two embeddings are blended one after the other.

    Rows that are parallel, or zero in one embedding (a shorter prompt's end), are blended linearly.
    """
    turned, sum_so_far = embeddings[0].float(), weights[0]
    for embedding, weight in zip(embeddings[1:], weights[1:], strict=True):
        sum_so_far += weight
        turned = slerp(turned, embedding.float(), weight / sum_so_far)
    return turned.to(embeddings[0].dtype)


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """Spherical interpolation from a to b, t in 0..1, of each fp32 row of `[..., dim]`."""
    lengths = a.norm(dim=-1, keepdim=True) * b.norm(dim=-1, keepdim=True)
    tiny = torch.finfo(torch.float32).tiny
    cosine = ((a * b).sum(dim=-1, keepdim=True) / lengths.clamp_min(tiny)).clamp(-1, 1)
    angle = cosine.acos()
    sine = angle.sin()
    straight = (lengths <= tiny) | (sine < PARALLEL)
    safe = torch.where(straight, 1.0, sine)
    arc = (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / safe
    return torch.where(straight, torch.lerp(a, b, t), arc)
