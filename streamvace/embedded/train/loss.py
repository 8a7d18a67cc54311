"""What the transformer is asked in training: the clean latents behind noisy ones, with a past as a stream's is."""

from __future__ import annotations

import torch
from torch import Tensor

from streamvace.embedded.train.network import CHUNK, Encoded, Network
from streamvace.embedded.train.sampling import CACHE_T

CLEAN_SHARE = 0.6
"""How often the first of two chunks is a finished past; else it is noisy as well, and learns too."""
OBJECT_WEIGHT = 3.0
"""How much more the error counts where objects are: a tenth of the picture, and most of what the prompt says."""
LOWEST_T = 0.35
"""The error is divided by the noise level, but by no less than this: near-clean samples would rule the loss."""


def draw_times(count: int, generator: torch.Generator) -> Tensor:
    """Noise levels `[count]`: 40 % pure noise, 40 % in .6..1, 20 % in .05..0.65.

    Only pure noise makes the words count: any less, and the colours can be read off the noisy picture.
    """
    kind, u = torch.rand(count, generator=generator), torch.rand(count, generator=generator)
    low = torch.where(kind < 0.80, 0.6 + 0.4 * u, 0.05 + 0.6 * u)
    return torch.where(kind < 0.40, torch.ones(count), low)


def own_history(x0: Tensor, span: int, chosen: Tensor, generator: torch.Generator) -> Tensor:
    """x0 with a first chunk as faulty as the model's own: off by whole patches, in proportion to each channel.

    Only where `chosen` `[B]`. Trained on perfect histories alone, a stream drifts on its own mistakes.
    """
    batch, channels, _, height, width = x0.shape
    fault = torch.randn(batch, channels, span, height // 2, width // 2, generator=generator)
    fault = fault.repeat_interleave(2, 3).repeat_interleave(2, 4) + 0.7 * torch.randn(
        batch, channels, span, height, width, generator=generator
    )
    strength = 0.3 * torch.rand(batch, generator=generator) * chosen
    past = x0.clone()
    past[:, :, :span] += fault * x0.std((0, 2, 3, 4)).view(1, -1, 1, 1, 1) * strength.view(-1, 1, 1, 1, 1)
    return past


@torch.no_grad()
def repaint(
    net: Network, data: Encoded, span: int, hears: Tensor, generator: torch.Generator, bfloat16: bool
) -> Tensor:
    """x0 with its first chunk as the net itself paints it from a noisy version of the truth. hears: `[B]`.

    Its own faults and its own blur, but still the same picture: a chunk made from pure noise would show another
    background, and a net that must reach the truth behind it learns to forget its past.
    """
    x0 = data.x0
    level = 0.3 + 0.5 * torch.rand(len(x0), 1, generator=generator)
    first = x0[:, :, :span]
    sigma = level.view(-1, 1, 1, 1, 1)
    noisy = (1 - sigma) * first + sigma * torch.randn(first.shape, generator=generator)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        times, heard = level.repeat(1, span), hears.unsqueeze(1).repeat(1, span)
        made = net(noisy, times, data.tokens, data.context[:, :, :span], heard, span)
    return torch.cat((made.float(), x0[:, :, span:]), 2)


def denoising_loss(
    net: Network, data: Encoded, step: int, *, causal: bool, hears: bool, generator: torch.Generator, bfloat16: bool
) -> Tensor:
    """Weighted error of the predicted x0 over max(t, .35), for images (T = 1) and for clips.

    causal: in chunks, each seeing those before it, with one noise level a chunk; else the whole clip at one level.
    hears: whether the context branch takes part at all. step: odd ones repaint their past.
    """
    x0 = data.x0
    batch, _, frames, _, _ = x0.shape
    span = min(CHUNK, frames) if causal else frames
    t = torch.stack([draw_times(batch, generator) for _ in range(frames // span)], 1)
    heard = data.hinted.float() * hears
    loud = heard.unsqueeze(1).repeat(1, t.shape[1])
    level, past = t, x0
    if t.shape[1] > 1:
        # The past of a stream is clean, and was written to the cache by a pass without hints at t = .03.
        pick = torch.rand(batch, 3, generator=generator)
        clean = pick[:, 0] < CLEAN_SHARE
        nearly = 0.08 * torch.rand(batch, generator=generator)
        exact = pick[:, 1] < 0.6
        t[:, 0] = torch.where(clean, torch.where(exact, torch.full_like(nearly, CACHE_T), nearly), t[:, 0])
        level = t.clone()
        level[:, 0] = torch.where(clean & exact, torch.zeros_like(nearly), t[:, 0])
        loud[:, 0] = torch.where(clean & (pick[:, 2] < 0.8), torch.zeros(batch), loud[:, 0])
        past = own_history(x0, span, clean & (pick[:, 2] < 0.6), generator)
        if step % 2:
            made = repaint(net, data, span, heard, generator, bfloat16)
            past = torch.where(clean.view(-1, 1, 1, 1, 1), made, x0)
    t, level, loud = (v.repeat_interleave(span, 1) for v in (t, level, loud))
    sigma = level.view(batch, 1, frames, 1, 1)
    noise = torch.randn(x0.shape, generator=generator)
    noisy = (1 - sigma) * past + sigma * noise
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        out = net(noisy, t, data.tokens, data.context if hears else None, loud, span)
    weight = 1 + OBJECT_WEIGHT * data.objects.unsqueeze(1)
    error = ((out.float() - x0).square() * weight).mean((1, 3, 4))
    loss: Tensor = (error / t.clamp_min(LOWEST_T)).mean()
    return loss
