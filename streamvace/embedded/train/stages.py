"""The stages of the transformer: single images first, then causal video of two chunks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from streamvace.embedded.train import team
from streamvace.embedded.train.codec import fit_codec
from streamvace.embedded.train.config import TrainConfig
from streamvace.embedded.train.data import Batch, Bytes, batches, make_batch
from streamvace.embedded.train.network import CHUNK, Encoded, Network, encode
from streamvace.embedded.train.sampling import stream
from streamvace.embedded.train.trainer import Trainer
from streamvace.model.autoencoder.tiny import LinearBlocks, TinyAE

START_SHARE = 0.15
CLEAN_SHARE = 0.6
OBJECT_WEIGHT = 3.0
"""How much more the error counts where objects are: a tenth of the picture, and most of what the prompt says."""


def codec_path(config: TrainConfig) -> Path:
    """Where the fitted codec lives."""
    return config.folder / "codec.pt"


def train_codec(config: TrainConfig) -> dict[str, float]:
    """Fit the linear encoder and write it; the decoder's net starts as nothing on top of it."""
    torch.manual_seed(config.seed)
    model = TinyAE()
    figures = fit_codec(model, config.codec_clips, config.seed, config.photographs)
    config.folder.mkdir(parents=True, exist_ok=True)
    torch.save(model.state_dict(), codec_path(config))
    return figures


def load_blocks(config: TrainConfig) -> LinearBlocks:
    """The frozen linear maps."""
    state = torch.load(codec_path(config), weights_only=True)
    blocks = LinearBlocks()
    blocks.load_state_dict({key: state[f"blocks.{key}"] for key in ("analysis", "synthesis")})
    return blocks.requires_grad_(False)


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
def repaint(net: Network, data: Encoded, x0: Tensor, span: int, generator: torch.Generator) -> Tensor:
    """x0 with its first chunk as the net itself paints it from a noisy version of the truth.

    Its own faults and its own blur, but still the same picture: a chunk made from pure noise would show another
    background, and a net that must reach the truth behind it learns to forget its past.
    """
    level = 0.3 + 0.5 * torch.rand(len(x0), 1, generator=generator)
    first = x0[:, :, :span]
    sigma = level.view(-1, 1, 1, 1, 1)
    noisy = (1 - sigma) * first + sigma * torch.randn(first.shape, generator=generator)
    hears = data.hinted.float().unsqueeze(1).repeat(1, span)
    with torch.autocast("cpu", torch.bfloat16):
        made = net(noisy, level.repeat(1, span), data.tokens, data.context[:, :, :span], hears)
    return torch.cat((made.float(), x0[:, :, span:]), 2)


def denoising_loss(net: Network, data: Encoded, step: int, config: TrainConfig) -> Tensor:
    """Error of the predicted x0 over max(t, .35), for images (T = 1) and for whole chunks."""
    generator = torch.Generator().manual_seed((config.seed * 1_000_003 + step) * team.size() + team.rank())
    x0 = data.x0
    batch, frames = x0.shape[0], x0.shape[2]
    span = min(CHUNK, frames)
    t = torch.stack([draw_times(batch, generator) for _ in range(frames // span)], 1)
    hears = data.hinted.float().unsqueeze(1).repeat(1, t.shape[1])
    level, past = t, x0
    if t.shape[1] > 1:
        # The past of a stream is clean, and was written to the cache by a pass without hints at t = .03.
        pick = torch.rand(batch, 3, generator=generator)
        clean = pick[:, 0] < CLEAN_SHARE
        nearly = 0.08 * torch.rand(batch, generator=generator)
        exact = pick[:, 1] < 0.6
        t[:, 0] = torch.where(clean, torch.where(exact, torch.full_like(nearly, 0.03), nearly), t[:, 0])
        level = t.clone()
        level[:, 0] = torch.where(clean & exact, torch.zeros_like(nearly), t[:, 0])
        hears[:, 0] = torch.where(clean & (pick[:, 2] < 0.8), torch.zeros(batch), hears[:, 0])
        faulty = own_history(x0, span, clean & (pick[:, 2] < 0.6), generator)
        past = (
            torch.where(clean.view(-1, 1, 1, 1, 1), repaint(net, data, x0, span, generator), x0) if step % 2 else faulty
        )
    t, level, hears = (v.repeat_interleave(span, 1) for v in (t, level, hears))
    sigma = level.view(batch, 1, frames, 1, 1)
    noise = torch.randn(x0.shape, generator=generator)
    noisy = (1 - sigma) * past + sigma * noise
    with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
        out = net(noisy, t, data.tokens, data.context, hears)
    weight = 1 + OBJECT_WEIGHT * data.objects.unsqueeze(1)
    error = ((out.float() - x0).square() * weight).mean((1, 3, 4))
    loss: Tensor = (error / t.clamp_min(0.35)).mean()
    return loss


def images_of(clips: Tensor) -> Bytes:
    """Pixels `[3, H, W]` side by side -> uint8 `[H, W, 3]`."""
    return np.asarray(((clips.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy(), np.uint8)


@torch.no_grad()
def contact_sheet(net: Network, blocks: LinearBlocks, batch: Batch, path: Path, columns: int = 2) -> None:
    """Rows of: the scene, its control, what the net makes of it under control, and without."""
    net.eval()
    data = encode(blocks, batch)
    frames = data.x0.shape[2]
    span = min(CHUNK, frames)
    contexts: list[Tensor | None] = list(data.context.split(span, 2))
    free: list[Tensor | None] = [None] * len(contexts)
    side = data.x0.shape[-1]
    latents = [torch.cat(stream(net, data.tokens, c, span, side, 0), 2) for c in (contexts, free)]
    parts = [blocks.inverse(each).transpose(1, 2) for each in latents]
    net.train()
    show = [0] if frames == 1 else [0, 6, 12, 20]
    rows = []
    for i in range(len(batch.video)):
        truth = [batch.video[i, k] for k in show]
        control = [batch.control[i, k] for k in show[:: max(1, len(show) // 2)]]
        made = [images_of(part[i, :, k]) for part in parts for k in show]
        rows.append(np.concatenate([*truth, *control, *made], 1))
    per = -(-len(rows) // columns)
    blank = np.zeros_like(rows[0])
    stacks = [rows[c * per : (c + 1) * per] for c in range(columns)]
    stacks = [s + [blank] * (per - len(s)) for s in stacks]
    cv2.imwrite(str(path), np.concatenate([np.concatenate(s, 0) for s in stacks], 1)[..., ::-1])


def averaged(trainer: Trainer) -> Network:
    """The network with the averaged weights."""
    net = Network()
    net.load_state_dict(trainer.average)
    return net.eval()


def load_earlier(net: Network, state: dict[str, Tensor]) -> None:
    """Weights of an earlier run into `net`. Words added to the vocabulary's end since then start as they are."""
    key = "text_encoder.words.weight"
    table = net.state_dict()[key].clone()
    table[: len(state[key])] = state[key]
    net.load_state_dict({**state, key: table})


def train_stage(config: TrainConfig, name: str) -> None:
    """Run `base` (single latent frames, everything from nothing) or `causal` (two chunks, from the base weights)."""
    team.together(config.processes, config.folder, _train, config, name)


def _train(config: TrainConfig, name: str) -> None:
    """One member's part of a stage."""
    torch.manual_seed(config.seed)
    stage = config.base if name == "base" else config.causal
    number = 0 if name == "base" else 1
    blocks = load_blocks(config)
    net = Network()
    trainer = Trainer(name, net, stage, config.folder)
    if not trainer.resume():
        if name == "base" and config.start_from is not None:
            load_earlier(net, torch.load(config.start_from, weights_only=True)["average"])
        elif name == "base":
            count = min(64, 8 * stage.batch)
            probes = [
                make_batch((config.seed, 9, k), count, stage.frames, START_SHARE, config.photographs) for k in range(5)
            ]
            net.initialise(torch.cat([encode(blocks, probe).context for probe in probes]), config.seed)
        else:
            state = torch.load(config.folder / "base.pt", weights_only=True)
            net.load_state_dict(state["average"])
        trainer.average = {key: value.clone() for key, value in net.state_dict().items()}
    share = max(1, stage.batch // team.size())
    stream_of = batches(
        (config.seed, number, team.rank()), trainer.step, share, stage.frames, START_SHARE, config.photographs
    )
    rows = min(20 if name == "base" else 10, 2 * stage.batch)
    sample = make_batch((config.seed, 77, number), rows, stage.frames, START_SHARE, config.photographs)

    def sheet() -> None:
        contact_sheet(averaged(trainer), blocks, sample, config.folder / f"{name}-{trainer.step:06d}.png")

    try:
        trainer.run(lambda step: denoising_loss(net, encode(blocks, next(stream_of)), step, config), sheet)
    finally:
        stream_of.close()
    if team.rank() == 0:
        sheet()
