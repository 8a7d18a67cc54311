"""The linear encoder: a block PCA of what the model will see, gently scaled (not whitened)."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from streamvace.embedded.train.photographs import moving_crop, natural_images
from streamvace.model.autoencoder.tiny import BLOCK, CHANNELS, TinyAE
from streamvace.world.scene import FPS, edges, render, sample_scene
from streamvace.world.styles import compose, sample_look

TOP_STD = 1.6
EXPONENT = 0.3


def codec_clip(
    rng: np.random.Generator, photographs: list[NDArray[np.uint8]], frames: int, size: int
) -> NDArray[np.uint8]:
    """One clip of any kind the codec must carry, uint8 `[frames, size, size, 3]`."""
    if photographs and rng.random() < 0.2:
        clip = moving_crop(photographs[int(rng.integers(len(photographs)))], frames, size, rng)
    else:
        scene = sample_scene(rng)
        look = sample_look(rng, len(scene.bodies))
        start = float(rng.uniform(0, 20))
        maps = [render(scene, start + k / FPS, (size, size)) for k in range(frames)]
        kind = rng.choice(["colour", "depth", "edges", "gray"], p=[0.62, 0.2, 0.13, 0.05])
        if kind == "depth":
            clip = np.stack([np.repeat(m[1][..., None], 3, 2) for m in maps])
        elif kind == "edges":
            thickness = int(rng.integers(2, 4)) * size // 128
            clip = np.stack([np.repeat(edges(m, thickness)[..., None], 3, 2) for m in maps])
        else:
            clip = np.stack([compose(m, look) for m in maps])
            if kind == "gray":
                clip = np.stack([np.repeat(cv2.cvtColor(f, cv2.COLOR_RGB2GRAY)[..., None], 3, 2) for f in clip])
    if rng.random() < 0.12:
        x, y, w, h = (int(v * size) for v in rng.uniform([0, 0, 0.2, 0.2], [0.7, 0.7, 0.7, 0.7]))
        clip = clip.copy()
        clip[:, y : y + h, x : x + w] = 128
    if rng.random() < 0.1:
        clip = np.repeat(clip[:1], frames, 0)
    return clip


def to_tensor(clip: NDArray[np.uint8]) -> Tensor:
    """uint8 `[..., T, H, W, 3]` -> float32 `[..., 3, T, H, W]` in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(clip)).movedim(-1, -4).float() / 127.5 - 1


def fit_codec(model: TinyAE, clips: int, seed: int, folder: Path | None) -> dict[str, float]:
    """Fill the linear maps of `model`. Returns the round trip's PSNR in dB on fresh clips, and the top deviations."""
    rng = np.random.default_rng(seed)
    photographs = natural_images(folder)
    features = 3 * 4 * BLOCK * BLOCK
    moment = torch.zeros(features, features, dtype=torch.float64)
    count = 0
    for _ in range(clips):
        x = to_tensor(codec_clip(rng, photographs, 4, 128)).unsqueeze(0)
        b, c, _, height, width = x.shape
        x = x.view(b, c, 1, 4, height // BLOCK, BLOCK, width // BLOCK, BLOCK).permute(0, 2, 4, 6, 1, 3, 5, 7)
        rows = x.reshape(-1, features)
        moment += (rows.T @ rows).double()
        count += len(rows)
    values, vectors = torch.linalg.eigh(moment / count)
    order = values.argsort(descending=True)[:CHANNELS]
    deviation = values[order].clamp_min(1e-12).sqrt()
    scale = TOP_STD / deviation[0] * (deviation[0] / deviation) ** EXPONENT
    basis = vectors[:, order].T
    basis = basis * torch.where(basis.sum(1, keepdim=True) < 0, -1.0, 1.0)
    with torch.no_grad():
        model.blocks.analysis.copy_((basis * scale[:, None]).float())
        model.blocks.synthesis.copy_((basis.T / scale[None, :]).float())
        error = 0.0
        for _ in range(40):
            x = to_tensor(codec_clip(rng, [], 4, 128)).unsqueeze(0)
            back = model.blocks.inverse(model.blocks(x)).transpose(1, 2).clamp(-1, 1)
            error += float(((back - x) / 2).square().mean()) / 40
    return {"psnr": -10 * float(np.log10(error)), "std0": float(deviation[0]), "std_last": float(deviation[-1])}
