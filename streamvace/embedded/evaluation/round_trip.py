"""How much of a picture the codec keeps: through its encoder and its decoder, without the transformer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from streamvace.embedded.evaluation.confidence import Cell, figure
from streamvace.embedded.evaluation.judges import Scores, picture_psnr, picture_ssim
from streamvace.embedded.evaluation.trials import HELD_OUT
from streamvace.embedded.train.codec import to_tensor
from streamvace.embedded.train.data import sample_place, scene_clip
from streamvace.embedded.train.photographs import clip_frames
from streamvace.model.autoencoder.tiny import SIDE as BORDERS
from streamvace.model.autoencoder.tiny import TinyAE
from streamvace.records.chunk import Pixels
from streamvace.system.errors import UserError
from streamvace.world.scene import FPS, render, sample_scene
from streamvace.world.styles import compose, sample_look, sample_materials

FRAMES = 13
"""One frame that starts the stream, and three latent frames."""
SIDE = 256
DRAWN = 30_000
"""First number of the drawn clips."""
MATERIALS = 40_000
"""First number of the clips in materials."""
STILL = 1.0
"""Mean change between frames, in levels of 255, below which a film counts as still."""


def drawn_clips(count: int) -> Pixels:
    """Held-out scenes, uint8 `[N, FRAMES, SIDE, SIDE, 3]`."""
    rngs = [np.random.default_rng(HELD_OUT + DRAWN + number) for number in range(count)]
    return np.stack([scene_clip(rng, FRAMES, SIDE, 20) for rng in rngs])


def material_clips(count: int) -> Pixels:
    """Held-out scenes in materials, shaped as `drawn_clips`."""
    clips = []
    for number in range(count):
        rng = np.random.default_rng(HELD_OUT + MATERIALS + number)
        scene = sample_scene(rng)
        look, place = sample_materials(rng, sample_look(rng, len(scene.bodies))), sample_place(rng)
        maps = (render(scene, 2.0 + k / FPS, (SIDE, SIDE)) for k in range(FRAMES))
        clips.append(np.stack([compose(each, look, place) for each in maps]))
    return np.stack(clips)


def film_clips(folder: Path) -> Pixels:
    """The central square of the first frames of every film in a folder, shaped as `drawn_clips`.

    Raises UserError if there is no film with FRAMES frames.
    """
    clips = []
    for path in sorted(folder.glob("*.mp4")):
        frames = list(islice(clip_frames(path, FRAMES), FRAMES))
        if len(frames) == FRAMES:
            clips.append(np.stack([_square(frame) for frame in frames]))
    if not clips:
        raise UserError(f"{folder}: no .mp4 films of {FRAMES} frames and more")
    return np.stack(clips)


def _square(frame: Pixels) -> Pixels:
    height, width = frame.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = frame[top : top + side, left : left + side]
    return np.asarray(cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


@torch.inference_mode()
def round_trip(codec: TinyAE, clips: Pixels) -> Pixels:
    """The clips, encoded and decoded as the start of a stream."""
    made = [codec.decode(codec.encode(to_tensor(clip).unsqueeze(0))[0])[0] for clip in clips]
    return _pictures(torch.cat(made))


@torch.inference_mode()
def linear_trip(codec: TinyAE, clips: Pixels) -> Pixels:
    """The same with the linear decoder alone: what is left without a trained decoder."""
    made = []
    for clip in clips:
        half = codec.blocks.inverse(codec.encode(to_tensor(clip).unsqueeze(0))[0])[:, 3:]
        made.append(torch.nn.functional.interpolate(half[0], scale_factor=2, mode="bilinear").transpose(0, 1))
    return _pictures(torch.stack(made))


def _pictures(pixels: Tensor) -> Pixels:
    levels = ((pixels.clamp(-1, 1) + 1) * 127.5).round().byte()
    return np.asarray(levels.permute(0, 2, 3, 4, 1).numpy(), np.uint8)


def sharpness(made: Pixels, truth: Pixels) -> Scores:
    """Squared differences of neighbouring pixels, relative to the true picture's, per clip: 1 = as crisp."""
    return np.array([_energy(one) / max(_energy(other), 1e-6) for one, other in zip(made, truth, strict=True)])


def _energy(clip: Pixels) -> float:
    levels = clip.astype(np.float32)
    return float(np.square(np.diff(levels, axis=2)).mean() + np.square(np.diff(levels, axis=1)).mean())


def unrest(made: Pixels, truth: Pixels) -> Scores:
    """Error of the changes between frames, relative to the true changes, per clip: 0 = moves exactly as it should."""

    moves = [np.diff(clips.astype(np.float32), axis=1) for clips in (made, truth)]
    error, motion = (np.abs(each).mean((1, 2, 3, 4)) for each in (moves[0] - moves[1], moves[1]))
    return np.asarray(error / np.maximum(motion, STILL), np.float64)


def blocks(made: Pixels, truth: Pixels) -> Scores:
    """Differences across the borders of the codec's blocks relative to those elsewhere, over the same of the true
    picture, per clip: 1 = no block is seen."""
    return np.array([_steps(one) / _steps(other) for one, other in zip(made, truth, strict=True)])


def _steps(clip: Pixels) -> float:
    at, between = 0.0, 0.0
    for axis in (1, 2):
        change = np.abs(np.diff(clip.astype(np.float32), axis=axis)).mean((0, 3, 3 - axis))
        border = np.arange(1, len(change) + 1) % BORDERS == 0
        at, between = at + float(change[border].mean()), between + float(change[~border].mean())
    return at / max(between, 1e-6)


FIGURES: dict[str, Callable[[Pixels, Pixels], Scores]] = {
    "sharpness": sharpness,
    "psnr": lambda made, truth: picture_psnr(made, truth, []),
    "ssim": lambda made, truth: picture_ssim(made, truth, []),
    "unrest": unrest,
    "blocks": blocks,
}


def round_trip_cells(codec: TinyAE, count: int, films: Path | None) -> Iterator[Cell]:
    """The figures of drawn scenes, of materials and, with a folder, of films. `wrong` is the linear decoder alone."""
    sets = {"drawn": drawn_clips(count), "materials": material_clips(count)} | (
        {} if films is None else {"films": film_clips(films)}
    )
    for name, clips in sets.items():
        trips = {"codec": round_trip(codec, clips), "wrong": linear_trip(codec, clips)}
        for judge, score in FIGURES.items():
            for variant, made in trips.items():
                yield Cell(variant, "codec", name, judge, figure(score(made, clips)))
