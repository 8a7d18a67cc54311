"""The decoder's stage: learn to undo the linear encoder at full size, sharply and without blocks; encoder frozen."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from streamvace.embedded.train import team
from streamvace.embedded.train.codec import to_tensor
from streamvace.embedded.train.config import TrainConfig
from streamvace.embedded.train.network import CHUNK, Network
from streamvace.embedded.train.photographs import moving_crop, photographs
from streamvace.embedded.train.trainer import Trainer
from streamvace.model.autoencoder.tiny import TinyAE
from streamvace.world.filters import FILTERS
from streamvace.world.scene import FPS, render, sample_scene
from streamvace.world.styles import COLOURS, compose, sample_look
from streamvace.world.text import TEXT_LEN

FULL, CROP = 256, 128
"""Clips are rendered at the model's own size and cropped on the encoder's grid, whole patches of the transformer."""
CROPS = 4
"""Of each clip: rendering at full size costs as much as learning from it."""


def picture_clip(rng: np.random.Generator, pictures: list[NDArray[np.uint8]], frames: int) -> NDArray[np.uint8]:
    """What the transformer paints, uint8 `[frames, FULL, FULL, 3]`: scenes, photographs, and both under filters.

    No depth and no edges: they are encoded as controls, and nobody decodes them.
    """
    if pictures and rng.random() < 0.3:
        clip = moving_crop(pictures[int(rng.integers(len(pictures)))], frames, FULL, rng)
        share = 0.6
    else:
        scene = sample_scene(rng)
        look = sample_look(rng, len(scene.bodies))
        start = float(rng.uniform(0, 20))
        clip = np.stack([compose(render(scene, start + k / FPS, (FULL, FULL)), look) for k in range(frames)])
        share = 0.1
    if rng.random() < share:
        first, second = (str(c) for c in rng.permutation(list(COLOURS))[:2])
        name = str(rng.choice(list(FILTERS)))
        clip = np.stack([FILTERS[name](frame, first, second) for frame in clip])
    return clip


def crops(seed: tuple[int, ...], count: int, frames: int, folder: Path | None) -> NDArray[np.uint8]:
    """uint8 `[count, frames, CROP, CROP, 3]`, a function of the arguments alone."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    out: list[NDArray[np.uint8]] = []
    while len(out) < count:
        clip = picture_clip(rng, photographs(folder), frames)
        for _ in range(CROPS):
            y, x = (16 * int(rng.integers((FULL - CROP) // 16 + 1)) for _ in range(2))
            out.append(clip[:, y : y + CROP, x : x + CROP])
    return np.stack(out[:count])


def _stream(
    seed: tuple[int, ...], first: int, count: int, frames: int, folder: Path | None
) -> Generator[Tensor, None, None]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        ahead: deque[Future[NDArray[np.uint8]]] = deque()
        number = first
        try:
            while True:
                while len(ahead) < 4:
                    ahead.append(pool.submit(crops, (*seed, number), count, frames, folder))
                    number += 1
                yield to_tensor(ahead.popleft().result())
        finally:
            for future in ahead:
                future.cancel()


def disturb(latents: Tensor, deviation: Tensor, generator: torch.Generator) -> Tensor:
    """Latents a little off: clean, noisy, or off by whole 2x2 patches. deviation: `[32]`."""
    batch, channels, frames, height, width = latents.shape
    kind = torch.rand(batch, generator=generator)
    level = torch.rand(batch, generator=generator).view(-1, 1, 1, 1, 1)
    fine = torch.randn(latents.shape, generator=generator)
    coarse = torch.randn(batch, channels, frames, -(-height // 2), -(-width // 2), generator=generator)
    coarse = coarse.repeat_interleave(2, 3).repeat_interleave(2, 4)[..., :height, :width]
    scale = deviation.view(1, -1, 1, 1, 1)
    white = 0.08 * level * fine
    shaped = 0.25 * level * scale * (0.6 * fine + 0.6 * coarse)
    pick = kind.view(-1, 1, 1, 1, 1)
    return latents + torch.where(pick < 0.4, torch.zeros_like(white), torch.where(pick < 0.7, white, shaped))


@torch.no_grad()
def painted(net: Network, latents: Tensor, generator: torch.Generator, bfloat16: bool) -> Tensor:
    """Latents as the transformer makes them: noised, then denoised in one step without words or control.

    It is unsure of what changes within the four frames of a latent and leaves it out, so a decoder that only knows true
    latents shows movement in steps; one that knows these learns to carry it on from the latent before.
    """
    batch, _, frames = latents.shape[:3]
    level = 0.35 + 0.4 * torch.rand(batch, 1, generator=generator)
    sigma = level.view(-1, 1, 1, 1, 1)
    noisy = (1 - sigma) * latents + sigma * torch.randn(latents.shape, generator=generator)
    tokens = torch.zeros(batch, TEXT_LEN, dtype=torch.int64)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        made = net(noisy, level.repeat(1, frames), tokens, None, None, min(CHUNK, frames))
    out: Tensor = made.float()
    return out


def trained_painter(config: TrainConfig) -> Network | None:
    """The transformer that the decoder will work for, as far as it is trained; None before its first checkpoint."""
    for name in ("demo", "images"):
        path = config.folder / f"{name}.pt"
        if path.exists():
            net = Network()
            net.load_state_dict(torch.load(path, weights_only=True)["average"])
            return net.eval().requires_grad_(False)
    return None


def reconstruction_loss(out: Tensor, target: Tensor) -> Tensor:
    """L1 of pixels, of their gradients and of their changes in time, and a little squared error."""
    error = out - target
    slopes = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    return error.abs().mean() + slopes + error.diff(dim=2).abs().mean() + 0.3 * error.square().mean()


def train_decoder(config: TrainConfig) -> None:
    """Run the stage with the configured team."""
    team.together(config.processes, config.folder, _train, config)


def _train(config: TrainConfig) -> None:
    torch.manual_seed(config.seed)
    stage = config.stages["decoder"]
    model = TinyAE()
    model.load_state_dict(torch.load(config.folder / "codec.pt", weights_only=True))
    model.blocks.analysis.requires_grad_(False)
    trainer = Trainer("decoder", model, stage, config.folder)
    trainer.resume()
    painter = trained_painter(config)
    share = max(1, stage.batch // team.size())
    stream = _stream((config.seed, 2, team.rank()), trainer.step, share, stage.frames, config.photographs)
    sample = to_tensor(crops((config.seed, 78), 8, 12, config.photographs))
    with torch.no_grad():
        probe, _ = model.encode(to_tensor(crops((config.seed, 79), 24, 4, config.photographs)), [])
        deviation = probe.transpose(0, 1).flatten(1).std(1)

    def loss(step: int) -> Tensor:
        generator = torch.Generator().manual_seed((config.seed * 7919 + step) * team.size() + team.rank())
        target = next(stream)
        with torch.no_grad():
            latents = model.encode(target, [])[0]
        if painter is not None and step % 2:
            latents = painted(painter, latents, generator, config.bfloat16)
        else:
            latents = disturb(latents, deviation, generator)
        zeros: list[Tensor] | None = None
        with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
            out, _ = model.decode(latents, zeros)
        return reconstruction_loss(out.float(), target[:, :, 3:])

    def sheet() -> None:
        decoder_sheet(trainer, sample, config.folder / f"decoder-{trainer.step:06d}.png")

    try:
        trainer.run(loss, sheet)
    finally:
        stream.close()
    if team.rank() == 0:
        sheet()


@torch.no_grad()
def decoder_sheet(trainer: Trainer, sample: Tensor, path: Path) -> None:
    """Columns of: the picture, the linear decoder alone, the trained decoder."""
    model = TinyAE()
    model.load_state_dict(trainer.average)
    model.eval()
    latents, _ = model.encode(sample, [])
    out, _ = model.decode(latents)
    plain = torch.nn.functional.interpolate(model.blocks.inverse(latents)[:, 6], scale_factor=2, mode="bilinear")
    columns = [torch.cat((sample[i, :, 6], plain[i].clamp(-1, 1), out[i, :, 3]), 1) for i in range(len(sample))]
    picture = ((torch.cat(columns, 2) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
    psnr = -10 * float(((out - sample[:, :, 3:]) / 2).square().mean().log10())
    cv2.imwrite(str(path), picture[..., ::-1])
    print(f"decoder: {psnr:.2f} dB on the sheet")
