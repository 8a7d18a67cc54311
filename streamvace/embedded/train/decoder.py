"""The decoder stage: learn to invert the frozen linear encoder at full size, sharp and without blocking."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from streamvace.embedded.train import team
from streamvace.embedded.train.codec import to_tensor
from streamvace.embedded.train.config import TrainConfig
from streamvace.embedded.train.critic import Critic
from streamvace.embedded.train.data import (
    MATERIAL_SHARE,
    rendered_ahead,
    repainted,
    sample_place,
    token_table,
)
from streamvace.embedded.train.loss import stream_noise
from streamvace.embedded.train.network import CHUNK, Network
from streamvace.embedded.train.photographs import Bytes, moving_crop, photographs
from streamvace.embedded.train.picture_loss import picture_loss
from streamvace.embedded.train.sheets import images_of, write_sheet
from streamvace.embedded.train.trainer import Trainer
from streamvace.model.autoencoder.tiny import SIDE, TinyAE
from streamvace.model.noise import STEP
from streamvace.world.captions import caption
from streamvace.world.materials import Place
from streamvace.world.scene import FPS, render, sample_scene
from streamvace.world.styles import compose, sample_look, sample_materials

FULL, CROP = 256, 128
"""Sides in pixels: clips are rendered at the model's size and cropped on the encoder's grid."""
CROPS = 4
"""Crops per clip: rendering at full size costs as much as a training step."""
CRITIC_FROM = 0.1
"""Share of the budget from which on the critic judges, gently at first: from pictures that are merely wrong, it learns
nothing."""


@dataclass(frozen=True)
class Clips:
    """video: uint8 `[B, T, CROP, CROP, 3]`. tokens: int64 `[B, 24]`. places: int64 `[B, 2]`; see data.Batch."""

    video: Bytes
    tokens: NDArray[np.int64]
    places: NDArray[np.int64]


def picture_clip(rng: np.random.Generator, pictures: list[Bytes], frames: int, place: Place) -> tuple[Bytes, str]:
    """A clip like the transformer's output, uint8 `[frames, FULL, FULL, 3]`, and its caption: scenes and photographs,
    many in materials, some filtered.

    Depth and edges are left out: they are encoded as controls but never decoded.
    """
    if not pictures or rng.random() >= 0.35:
        scene = sample_scene(rng)
        look, start = sample_look(rng, len(scene.bodies)), float(rng.uniform(0, 20))
        if rng.random() < MATERIAL_SHARE:
            look = sample_materials(rng, look)
        maps = [render(scene, start + k / FPS, (FULL, FULL)) for k in range(frames)]
        return np.stack([compose(each, look, place) for each in maps]), caption(scene, look, start)
    clip = moving_crop(pictures[int(rng.integers(len(pictures)))], frames, FULL, rng)
    return repainted(clip, place, rng)


def crops(seed: tuple[int, ...], count: int, frames: int, folder: Path | None) -> Clips:
    """Random crops, which depend only on the arguments."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    video: list[Bytes] = []
    words: list[str] = []
    places: list[Place] = []
    while len(video) < count:
        place = sample_place(rng)
        clip, said = picture_clip(rng, photographs(folder), frames, place)
        for _ in range(CROPS):
            down, right = (STEP * int(v) for v in rng.integers((FULL - CROP) // (STEP * SIDE) + 1, size=2))
            y, x = down * SIDE, right * SIDE
            video.append(clip[:, y : y + CROP, x : x + CROP])
            words.append(said)
            places.append((place[0] + down, place[1] + right))
    return Clips(np.stack(video[:count]), token_table(words[:count]), np.array(places[:count], np.int64))


def disturb(latents: Tensor, deviation: Tensor, generator: torch.Generator) -> Tensor:
    """Slightly wrong latents: clean, with white noise, or with noise of whole 2x2 patches. deviation: `[32]`."""
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
def painted(net: Network, latents: Tensor, clips: Clips, generator: torch.Generator, bfloat16: bool) -> Tensor:
    """Latents of clips as from the transformer: noised, then denoised in one step with text, without control.

    The transformer is uncertain about changes within the four frames of a latent and leaves them out. A decoder trained
    only on true latents then shows motion in steps; one trained on these continues it from the previous latent.
    """
    batch, _, frames = latents.shape[:3]
    level = 0.35 + 0.4 * torch.rand(batch, 1, generator=generator)
    sigma = level.view(-1, 1, 1, 1, 1)
    noisy = (1 - sigma) * latents + sigma * stream_noise(latents.shape, torch.from_numpy(clips.places), generator)
    tokens = torch.from_numpy(clips.tokens)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        made = net(noisy, level.repeat(1, frames), tokens, None, None, min(CHUNK, frames))
    out: Tensor = made.float()
    return out


def trained_painter(config: TrainConfig) -> Network | None:
    """The newest transformer in the training folder, or None before its first checkpoint."""
    for name in ("demo", "images"):
        path = config.folder / f"{name}.pt"
        if path.exists():
            net = Network()
            net.load_state_dict(torch.load(path, weights_only=True)["average"])
            return net.eval().requires_grad_(False)
    return None


def judged(made: Tensor, true: Tensor, critic: Critic, strength: float, shift: int, bfloat16: bool) -> Tensor:
    """The loss of decoded pixels `[B, 3, 1 + 4n, H, W]`, and one step of the critic.

    strength: size of the critic's gradients relative to that of `picture_loss`; 0: no critic. They are balanced at the
    pixels, so that neither side wins by the scale of its loss.
    """
    if not strength:
        return picture_loss(made, true, shift, fine=1.0, texture=0.5)
    pixels = made.detach().requires_grad_()
    loss = picture_loss(pixels, true, shift, fine=0.4, texture=1.5)
    (gradient,) = torch.autograd.grad(loss, pixels)
    size = gradient.norm()
    groups = made.detach()[:, :, 1:].requires_grad_()
    for pull in critic.pull(groups, true[:, :, 1:], bfloat16):
        gradient[:, :, 1:] += pull * (strength * size / pull.norm().clamp_min(1e-12))
    critic.learn(groups, true[:, :, 1:], bfloat16)
    # Its gradient at `made` is `gradient`, and its value that of the loss.
    steered = (made * gradient).sum()
    return loss.detach() + steered - steered.detach()


def train_decoder(config: TrainConfig) -> None:
    """Run the decoder stage in the configured number of processes; resumes from its checkpoint."""
    team.together(config.processes, config.folder, _train, config)


def _train(config: TrainConfig) -> None:
    torch.manual_seed(config.seed)
    stage = config.stages["decoder"]
    model = TinyAE()
    model.load_state_dict(torch.load(config.folder / "codec.pt", weights_only=True))
    model.blocks.analysis.requires_grad_(False)
    critic = Critic()
    trainer = Trainer("decoder", model, stage, config.folder, beside=critic)
    trainer.resume()
    painter = trained_painter(config)
    share = max(1, stage.batch // team.size())
    seed = (config.seed, 2, team.rank())
    clips = rendered_ahead(crops, seed, trainer.step, share, stage.frames, config.photographs)
    sample = to_tensor(crops((config.seed, 78), 12, 12, config.photographs).video)
    with torch.no_grad():
        probe, _ = model.encode(to_tensor(crops((config.seed, 79), 24, 4, config.photographs).video), [])
        deviation = probe.transpose(0, 1).flatten(1).std(1)

    def loss(step: int) -> Tensor:
        generator = torch.Generator().manual_seed((config.seed * 7919 + step) * team.size() + team.rank())
        made_of = next(clips)
        target = to_tensor(made_of.video)
        with torch.no_grad():
            latents = model.encode(target, [])[0]
        if painter is not None and step % 2:
            latents = painted(painter, latents, made_of, generator, config.bfloat16)
        else:
            latents = disturb(latents, deviation, generator)
        with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
            made = model.decode(latents, None)[0].float()
        strength = stage.critic * min(1.0, max(0.0, trainer.finished / CRITIC_FROM - 1))
        shift = int(torch.randint(4, (), generator=generator))
        return judged(made, target[:, :, 3:], critic, strength, shift, config.bfloat16)

    def sheet() -> None:
        decoder_sheet(trainer, sample, config.folder / f"decoder-{trainer.step:06d}.png")

    with closing(clips):
        trainer.run(loss, sheet)


@torch.no_grad()
def decoder_sheet(trainer: Trainer, sample: Tensor, path: Path) -> None:
    """Write a picture with a column per sample: original, linear decoder alone, trained decoder. Prints the PSNR."""
    model = TinyAE()
    model.load_state_dict(trainer.average)
    model.eval()
    latents, _ = model.encode(sample, [])
    out, _ = model.decode(latents)
    plain = torch.nn.functional.interpolate(model.blocks.inverse(latents)[:, 6], scale_factor=2, mode="bilinear")
    columns = [torch.cat((sample[i, :, 6], plain[i].clamp(-1, 1), out[i, :, 3]), 1) for i in range(len(sample))]
    psnr = -10 * float(((out - sample[:, :, 3:]) / 2).square().mean().log10())
    write_sheet(path, images_of(torch.cat(columns, 2)))
    print(f"decoder: {psnr:.2f} dB on the sheet")
