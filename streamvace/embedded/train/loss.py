"""The training loss: predict clean latents from noisy ones, after a past like that of a stream."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from streamvace.conditioning.context import reference_context
from streamvace.embedded.train.network import CHUNK, Encoded, Network
from streamvace.embedded.train.sampling import SPEC
from streamvace.model.autoencoder.tiny import BLOCK, LinearBlocks
from streamvace.model.noise import mix_noise, tile_at
from streamvace.world.captions import VOCABULARY

CACHE_T = SPEC.context_timestep / 1000
"""Noise level at which a stream writes finished latents to its history."""
CLEAN_SHARE = 0.6
"""Share of samples whose first of two chunks is a finished past; in the others it is noisy and learned too."""
CUT_SHARE = 0.1
"""Share of the samples with control and a finished past whose past is that of another clip, as after a cut. A model
that never saw this paints the old scene under the new control."""
OBJECT_WEIGHT = 3.0
"""Extra weight of the error on objects: they fill a tenth of the picture but most of the prompt."""
BESIDE_WEIGHT = 0.5
"""Share of that extra weight for cells next to an object, which contain parts of its outline."""
MOTION_WEIGHT = 2.0
"""Extra weight of channels that code motion within four frames: they are weak and would not be learned otherwise."""
STEADY_WEIGHT = 0.6
"""Weight of the change of the error between latent frames: a constant fault is less visible than one that changes six
times a second. At a seam the change is relative to the error of the past that the network saw."""
REFERENCE_EVERY = 3
"""One batch in this many has references, in stages that learn them."""
COLOUR_WORDS = VOCABULARY.index("black") + 1
"""The vocabulary begins with the colours; this is the token of the last one."""
LOWEST_T = 0.35
"""The error is divided by the noise level, but at least by this: otherwise near-clean samples dominate the loss."""


def draw_times(count: int, generator: torch.Generator) -> Tensor:
    """Noise levels `[count]`: 40 % pure noise, 40 % in .6..1, 20 % in .05..0.65.

    Only pure noise teaches the prompt: with less noise, the noisy picture still shows the colours.
    """
    kind, u = torch.rand(count, generator=generator), torch.rand(count, generator=generator)
    low = torch.where(kind < 0.80, 0.6 + 0.4 * u, 0.05 + 0.6 * u)
    return torch.where(kind < 0.40, torch.ones(count), low)


def own_history(x0: Tensor, span: int, chosen: Tensor, generator: torch.Generator) -> Tensor:
    """x0 with faults in its first chunk like the model's own: in whole patches, in proportion to each channel.

    Only where `chosen` `[B]`. A model trained only on perfect histories drifts on its own faults.
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


def after_cut(x0: Tensor, span: int, chosen: Tensor) -> Tensor:
    """x0 with the first chunk of the batch's previous clip, where `chosen` `[B]`."""
    past = x0.clone()
    past[:, :, :span] = torch.where(chosen.view(-1, 1, 1, 1, 1), x0[:, :, :span].roll(1, 0), x0[:, :, :span])
    return past


def channel_weights(blocks: LinearBlocks) -> Tensor:
    """`[32]`: 1, plus up to MOTION_WEIGHT by the share of a channel's pixels that changes within four frames."""
    pixels = blocks.synthesis.detach().view(3, 4, BLOCK * BLOCK, -1)
    change = (pixels - pixels.mean(1, keepdim=True)).square().sum((0, 1, 2)) / pixels.square().sum((0, 1, 2))
    return 1 + MOTION_WEIGHT * change


@torch.no_grad()
def repaint(
    net: Network, data: Encoded, noise: Tensor, span: int, hears: Tensor, generator: torch.Generator, bfloat16: bool
) -> Tensor:
    """x0 with its first chunk as the network itself generates it from a noisy version of the truth. hears: `[B]`.

    This chunk has the network's own faults and blur but shows the same picture. A chunk from pure noise would show
    another background, and a network trained to reach the truth after it learns to ignore its past.
    """
    x0 = data.x0
    level = 0.3 + 0.5 * torch.rand(len(x0), 1, generator=generator)
    first = x0[:, :, :span]
    sigma = level.view(-1, 1, 1, 1, 1)
    noisy = (1 - sigma) * first + sigma * noise[:, :, :span]
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        times, heard = level.repeat(1, span), hears.unsqueeze(1).repeat(1, span)
        made = net(noisy, times, data.tokens, data.context[:, :, :span], heard, span)
    return torch.cat((made.float(), x0[:, :, span:]), 2)


def stream_noise(shape: torch.Size, places: Tensor, generator: torch.Generator) -> Tensor:
    """Noise `[B, C, T, h, w]` as in a stream: a part of it is the same in all latent frames, and says where in a
    texture a cell is. places: int64 `[B, 2]`, cells down and right."""
    side = SPEC.noise_tile
    common = [tile_at((int(down), int(right)), (shape[1], shape[3], shape[4]), side) for down, right in places]
    return mix_noise(torch.randn(shape, generator=generator), torch.stack(common).unsqueeze(2), SPEC.shared_noise)


def denoising_loss(
    net: Network,
    data: Encoded,
    step: int,
    *,
    channels: Tensor,
    causal: bool,
    hears: bool,
    refers: bool,
    generator: torch.Generator,
    bfloat16: bool,
) -> Tensor:
    """Weighted error of the predicted x0 and of its change in time, over max(t, .35), for images (T = 1) and clips.

    channels: weights of the channels `[32]`. causal: in chunks, each attending to the previous ones, with one noise
    level per chunk; otherwise the whole clip at one level. hears: use the context branch. refers: every
    REFERENCE_EVERY-th batch has a reference. step: number of the batch; odd ones use `repaint`.
    """
    if refers and step % REFERENCE_EVERY == 0:
        return referenced_loss(net, data, channels, generator, bfloat16)
    x0 = data.x0
    batch, _, frames, _, _ = x0.shape
    span = min(CHUNK, frames) if causal else frames
    t = torch.stack([draw_times(batch, generator) for _ in range(frames // span)], 1)
    heard = data.hinted.float() * hears
    loud = heard.unsqueeze(1).repeat(1, t.shape[1])
    level, past = t, x0
    noise = stream_noise(x0.shape, data.places, generator)
    fault = torch.zeros_like(x0)
    if t.shape[1] > 1:
        # The past of a stream is clean; a pass without hints at t = .03 wrote it to the cache.
        pick = torch.rand(batch, 4, generator=generator)
        clean = pick[:, 0] < CLEAN_SHARE
        nearly = 0.08 * torch.rand(batch, generator=generator)
        exact = pick[:, 1] < 0.6
        t[:, 0] = torch.where(clean, torch.where(exact, torch.full_like(nearly, CACHE_T), nearly), t[:, 0])
        level = t.clone()
        level[:, 0] = torch.where(clean & exact, torch.zeros_like(nearly), t[:, 0])
        loud[:, 0] = torch.where(clean & (pick[:, 2] < 0.8), torch.zeros(batch), loud[:, 0])
        past = own_history(x0, span, clean & (pick[:, 2] < 0.6), generator)
        if step % 2:
            made = repaint(net, data, noise, span, heard, generator, bfloat16)
            past = torch.where(clean.view(-1, 1, 1, 1, 1), made, x0)
        fault = past - x0
        cut = clean & data.hinted & (loud[:, 0] == 0) & (pick[:, 3] < CUT_SHARE * hears)
        past = after_cut(past, span, cut)
    t, level, loud = (v.repeat_interleave(span, 1) for v in (t, level, loud))
    sigma = level.view(batch, 1, frames, 1, 1)
    noisy = (1 - sigma) * past + sigma * noise
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        out = net(noisy, t, data.tokens, data.context if hears else None, loud, span)
    error = out.float() - x0
    return weighed(error, data.objects, t, channels, fault, span)


def referenced_loss(
    net: Network, data: Encoded, channels: Tensor, generator: torch.Generator, bfloat16: bool
) -> Tensor:
    """`denoising_loss` of whole clips with a reference in front, as in VACE's training.

    The reference is denoised too. Half of the prompts name no colour, so that the model learns to use the reference.
    """
    x0 = torch.cat((data.reference, data.x0), 2)
    t = draw_times(len(x0), generator).unsqueeze(1).repeat(1, x0.shape[2])
    sigma = t.view(len(x0), 1, -1, 1, 1)
    noisy = (1 - sigma) * x0 + sigma * stream_noise(x0.shape, data.places, generator)
    context = torch.cat((reference_context(data.reference, data.context.shape[1]), data.context), 2)
    silent = torch.rand(len(x0), 1, generator=generator) < 0.5
    tokens = torch.where(silent, colourless(data.tokens), data.tokens)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        out = net(noisy, t, tokens, context, None, x0.shape[2])
    error = out.float()[:, :, 1:] - data.x0
    return weighed(error, data.objects, t[:, 1:], channels, torch.zeros_like(data.x0), data.x0.shape[2])


def colourless(tokens: Tensor) -> Tensor:
    """Tokens `[B, 24]` without colour words; the remaining words move to the front."""
    kept = tokens * (tokens > COLOUR_WORDS)
    order = (kept == 0).int().argsort(dim=1, stable=True)
    return kept.gather(1, order)


def weighed(error: Tensor, objects: Tensor, t: Tensor, channels: Tensor, fault: Tensor, span: int) -> Tensor:
    """Loss of an error `[B, C, T, h, w]` and of its change in time, weighted by place, channel and noise level t.

    t: `[B, T]`. fault: the error of the past that the frames from `span` on attend to, shaped as `error`.
    """
    batch, _, frames, _, _ = error.shape
    change = error[:, :, 1:] - error[:, :, :-1]
    if frames > span:
        change[:, :, span - 1] = error[:, :, span] - fault[:, :, span - 1]
    cells = object_weights(objects) / t.clamp_min(LOWEST_T).view(batch, 1, frames, 1, 1)
    cells = cells * channels.view(1, -1, 1, 1, 1)
    loss: Tensor = (error.square() * cells).mean()
    if frames > 1:
        loss = loss + STEADY_WEIGHT * (change.square() * cells[:, :, 1:]).mean()
    return loss


def object_weights(objects: Tensor) -> Tensor:
    """Weights `[B, 1, T, h, w]` of cells. objects: the covered share of each cell, `[B, T, h, w]` in 0..1."""
    beside = F.max_pool2d(objects, 3, stride=1, padding=1)
    return (1 + OBJECT_WEIGHT * torch.maximum(objects, BESIDE_WEIGHT * beside)).unsqueeze(1)
