"""The paper's table 7: depth control, judged by Depth Anything, and the kept area of inpainting, by SSIM.

As in the paper, five chunks at the pipeline's size. The control is the procedural world's, whose depth is known, not a
gradient. Pictures are judged before the untouched source is pasted back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from streamvace.bench.setup import Figures, SkippedPart
from streamvace.conditioning.controls import DEPTH_FOLDER
from streamvace.conditioning.controls.base import ControlSettings
from streamvace.conditioning.controls.depth import NetworkDepth
from streamvace.embedded.evaluation.judges import CLEAR, ssim
from streamvace.models.manifest import models_folder
from streamvace.records.chunk import ChunkInput, Pixels
from streamvace.stream.generator import Generator
from streamvace.system.fix_hints import command
from streamvace.world.pattern_stream import PatternStream

CHUNKS = 5
STEP = 4
"""One of every four frames is judged."""
RATE = 24.0
"""Frames of the control per second."""
PROMPT = "glossy red ball on blue background"


def fidelity_rows(generator: Generator, weights: str, device: str) -> list[Figures]:
    """A row per figure, or its reason. weights: as `make_generator` says. Raises SkippedPart for random weights."""
    if weights == "random":
        raise SkippedPart(
            f"random weights make no pictures to judge; `{command('models pull')}` installs official ones"
        )
    return [_depth_row(generator, device), _kept_row(generator)]


def _depth_row(generator: Generator, device: str) -> Figures:
    folder = models_folder() / DEPTH_FOLDER
    row: Figures = {"figure": "depth control: RMSE of the depth, of 0 to 1", "judge": NetworkDepth.backend}
    if not folder.is_dir():
        return row | {"verdict": f"needs {NetworkDepth.backend} at {folder}"}
    judge = NetworkDepth(folder, device)
    pattern = PatternStream("depth", generator.size)
    errors, wrong = [], []
    for made, shown in streamed(generator, pattern, None):
        seen = []
        for frame in made:
            judge.reset()  # a range that adapts to the stream would clip: the alignment takes scale and offset away
            seen.append(_plane(judge.update(frame, 0.0, ControlSettings())))
        truth = [_plane(frame) for frame in shown]
        errors += [aligned_rmse(a, b) for a, b in zip(seen, truth, strict=True)]
        wrong += [aligned_rmse(a, b[:, ::-1]) for a, b in zip(seen, truth, strict=True)]
    return row | {"value": round(float(np.mean(errors)), 4), "mirrored control": round(float(np.mean(wrong)), 4)}


def _kept_row(generator: Generator) -> Figures:
    width, height = generator.size
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : -height // 4, width // 4 : -width // 4] = 255
    kept = np.ones((height, width), np.bool_)
    kept[height // 4 - CLEAR : CLEAR - height // 4, width // 4 - CLEAR : CLEAR - width // 4] = False
    pattern = PatternStream("scene", generator.size)
    pairs = [
        (frame, source)
        for made, shown in streamed(generator, pattern, mask)
        for frame, source in zip(made, shown, strict=True)
    ]
    right = [ssim(_gray(frame), _gray(source), kept) for frame, source in pairs]
    wrong = [ssim(_gray(frame), _gray(source)[:, ::-1], kept) for frame, source in pairs]
    return {
        "figure": "inpainting: SSIM of the kept area", "judge": "Wang et al. 2004",
        "value": round(float(np.mean(right)), 4), "mirrored control": round(float(np.mean(wrong)), 4),
    }  # fmt: skip


def streamed(generator: Generator, pattern: PatternStream, mask: Pixels | None) -> list[tuple[Pixels, Pixels]]:
    """Made and shown frames of CHUNKS chunks after a reset, one of every STEP. mask: uint8 `[H, W]`, of all frames."""
    generator.reset()
    pairs, at = [], 0
    for _ in range(CHUNKS):
        count = generator.frames_wanted()
        shown = np.stack([pattern.frame((at + k) / RATE) for k in range(count)])
        masks = None if mask is None else np.repeat(mask[None], count, axis=0)
        made = generator.step(ChunkInput(PROMPT, control=shown, mask=masks)).frames
        pairs.append((made[::STEP], shown[::STEP]))
        at += count
    return pairs


def aligned_rmse(seen: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Root mean square error after the scale and offset that fit best: relative depth has neither."""
    columns = np.stack((seen.ravel(), np.ones(seen.size)), axis=1)
    fit, *_ = np.linalg.lstsq(columns, truth.ravel(), rcond=None)
    return float(np.sqrt(np.mean((columns @ fit - truth.ravel()) ** 2)))


def _plane(picture: Pixels) -> NDArray[np.float64]:
    """uint8 `[H, W, 3]` of equal channels -> `[H, W]`, 0..1."""
    return np.asarray(picture[..., 0], np.float64) / 255


def _gray(picture: Pixels) -> Pixels:
    return np.asarray(picture.mean(-1).round(), np.uint8)
