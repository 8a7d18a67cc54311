"""The linear encoder: a block PCA of what the model will see, gently scaled (not whitened)."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from streamvace.embedded.styles import compose, sample_look
from streamvace.embedded.world import FPS, edges, render, sample_scene
from streamvace.model.autoencoder.tiny import BLOCK, CHANNELS, TinyAE

TOP_STD = 1.6
EXPONENT = 0.3


def natural_images(folder: Path | None = None) -> list[NDArray[np.uint8]]:
    """Photographs at hand: scikit-image's bundled ones when it is installed, and the frames of a folder of clips."""
    pictures: list[NDArray[np.uint8]] = []
    try:
        from skimage import data
    except ImportError:
        pass
    else:
        for name in ("astronaut", "chelsea", "coffee", "rocket", "camera", "coins", "page", "text", "moon"):
            try:
                picture = np.asarray(getattr(data, name)())
            except (OSError, AttributeError, ModuleNotFoundError):
                continue
            pictures.append(np.repeat(picture[..., None], 3, 2) if picture.ndim == 2 else picture[..., :3])
    for path in sorted(folder.glob("*.mp4")) if folder else ():
        capture = cv2.VideoCapture(str(path))
        for number in range(200):
            good, frame = capture.read()
            if not good:
                break
            if number % 12 == 0:
                pictures.append(np.ascontiguousarray(frame[..., ::-1]))
        capture.release()
    return [p.astype(np.uint8) for p in pictures]


def moving_crop(picture: NDArray[np.uint8], frames: int, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A pan and zoom over a photograph, uint8 `[frames, size, size, 3]`."""
    height, width = picture.shape[:2]
    side = min(height, width) * float(rng.uniform(0.35, 0.95))
    x, y = rng.uniform(side / 2, width - side / 2 + 1e-3), rng.uniform(side / 2, height - side / 2 + 1e-3)
    drift, zoom = rng.normal(0, 0.012 * side, 2), 1 + rng.normal(0, 0.006)
    turn, spin = rng.normal(0, 0.1), rng.normal(0, 0.01)
    out = []
    small = picture if side < 2.5 * size else cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    factor = small.shape[1] / width
    for k in range(frames):
        s = size / (side * factor) * zoom**k
        c, d = s * np.cos(turn + spin * k), s * np.sin(turn + spin * k)
        cx, cy = (x + drift[0] * k) * factor, (y + drift[1] * k) * factor
        matrix = np.array([[c, -d, size / 2 - c * cx + d * cy], [d, c, size / 2 - d * cx - c * cy]])
        out.append(cv2.warpAffine(small, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))
    return np.stack(out)


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
