"""The judges: each gives one score per clip, and comes with a clearly wrong case to test it.

A judge whose scores of right and wrong cases overlap measures nothing and is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.embedded.evaluation.trials import KEPT_BORDER, Trial
from streamvace.embedded.train.network import CHUNK
from streamvace.records.chunk import Pixels
from streamvace.world.scene import Maps
from streamvace.world.styles import COLOURS, Look, compose

Scores = NDArray[np.float64]
"""One score per clip, `[N]`."""
STEP = 8
"""One of every eight frames is judged."""
SOLID = 240
"""Coverage, 0..255, above which a pixel shows only the object."""
CLEAR = 8
"""Pixels left out at the border of the kept area, which the codec's blocks cross."""


def _centres(points: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    if len(points) < count:
        return points
    criteria = (cv2.TERM_CRITERIA_MAX_ITER, 12, 1.0)
    cv2.setRNGSeed(0)
    return np.asarray(cv2.kmeans(points, count, None, criteria, 1, cv2.KMEANS_PP_CENTERS)[2], np.float32)


def silhouette_iou(picture: Pixels, inside: NDArray[np.bool_]) -> float:
    """How well the picture's colours separate the true objects from their surroundings, 0..1; chance is about .25."""
    pixels = picture.reshape(-1, 3).astype(np.float32)
    flat = inside.ravel()
    centres = [_centres(pixels[flat], 2), _centres(pixels[~flat], 3)]
    near = [((pixels[:, None] - c[None]) ** 2).sum(-1).min(1) for c in centres]
    claimed = near[0] < near[1]
    return float((claimed & flat).sum() / max(1, (claimed | flat).sum()))


def named_colour(picture: Pixels, maps: Maps, body: int, look: Look) -> str:
    """The colour word that fits the object best: its mean colour is compared with the true picture in each colour."""
    inside = maps[4 + body] > SOLID
    mean = picture[inside].mean(0)

    def distance(name: str) -> float:
        bodies = (*look.bodies[:body], name, *look.bodies[body + 1 :])
        return float(((compose(maps, replace(look, bodies=bodies))[inside].mean(0) - mean) ** 2).sum())

    return min(COLOURS, key=distance)


def ssim(one: Pixels, other: Pixels, where: NDArray[np.bool_]) -> float:
    """Structural similarity of two gray pictures, mean over `where` (Wang et al. 2004, sigma 1.5)."""
    a, b = one.astype(np.float32), other.astype(np.float32)

    def blur(x: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.GaussianBlur(x, (11, 11), 1.5), np.float32)

    ma, mb = blur(a), blur(b)
    va, vb, both = blur(a * a) - ma * ma, blur(b * b) - mb * mb, blur(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    score = (2 * ma * mb + c1) * (2 * both + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))
    return float(score[where].mean())


def _kept(side: int) -> NDArray[np.bool_]:
    where = np.ones((side, side), np.bool_)
    edge = KEPT_BORDER - CLEAR
    where[edge:-edge, edge:-edge] = False
    return where


def _gray(picture: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def _ssims(made: Pixels, truth: Pixels, where: NDArray[np.bool_]) -> Scores:
    frames, pairs = range(0, made.shape[1], STEP), zip(made, truth, strict=True)
    return np.array([np.mean([ssim(_gray(m[k]), _gray(t[k]), where) for k in frames]) for m, t in pairs])


def _psnrs(made: Pixels, truth: Pixels) -> Scores:
    error = (made.astype(np.float32) - truth.astype(np.float32)) ** 2
    error = error.mean(tuple(range(1, error.ndim)))
    return np.asarray(10 * np.log10(255**2 / np.maximum(error, 1e-3)), np.float64)


def silhouettes(made: Pixels, truth: Pixels, trials: list[Trial]) -> Scores:
    """Mean silhouette IoU of each clip."""
    frames = range(0, made.shape[1], STEP)
    return np.array(
        [np.mean([silhouette_iou(v[k], t.inside(k)) for k in frames]) for v, t in zip(made, trials, strict=True)]
    )


def colours(made: Pixels, truth: Pixels, trials: list[Trial]) -> Scores:
    """Share of a clip's objects with the colour of the prompt, in the last chunk; NaN = none visible."""
    k = made.shape[1] - 1 - STEP
    scores = []
    for video, t in zip(made, trials, strict=True):
        maps = t.maps[3 + k]
        seen = [body for body in range(len(t.look.bodies)) if (maps[4 + body] > SOLID).any()]
        hits = [named_colour(video[k], maps, body, t.look) == t.look.bodies[body] for body in seen]
        scores.append(np.mean(hits) if hits else np.nan)
    return np.array(scores)


def kept_ssim(made: Pixels, truth: Pixels, trials: list[Trial]) -> Scores:
    """SSIM of the area that inpainting must keep, before any compositing."""
    return _ssims(made, truth, _kept(made.shape[2]))


def kept_psnr(made: Pixels, truth: Pixels, trials: list[Trial]) -> Scores:
    """PSNR of the same area in dB."""
    where = _kept(made.shape[2])
    return _psnrs(made[:, :, where], truth[:, :, where])


def first_psnr(made: Pixels, truth: Pixels, trials: list[Trial]) -> Scores:
    """PSNR of the first picture against the picture given for extension, in dB."""
    return _psnrs(made[:, 0], truth[:, 0])


def seams(made: Pixels, truth: Pixels, trials: list[Trial]) -> Scores:
    """Frame difference at the first seam between chunks, relative to the mean inside chunks; 1 = invisible."""
    steps = np.abs(np.diff(made.astype(np.float32), axis=1)).mean((2, 3, 4))
    cut = 4 * CHUNK - 3 - 1
    inside = np.delete(steps, cut, axis=1).mean(1)
    return np.asarray(steps[:, cut] / np.maximum(inside, 0.1), np.float64)


def picture_ssim(made: Pixels, truth: Pixels, trials: list[Trial]) -> Scores:
    """SSIM of the whole picture with the true one; brightness only."""
    return _ssims(made, truth, np.ones(made.shape[2:4], np.bool_))


def picture_psnr(made: Pixels, truth: Pixels, trials: list[Trial]) -> Scores:
    """PSNR of the whole picture with the true one, in colour, in dB."""
    return _psnrs(made, truth)


Score = Callable[[Pixels, Pixels, list[Trial]], Scores]
Case = tuple[Pixels, Pixels, list[Trial]]


def _another_clip(made: Pixels, truth: Pixels, trials: list[Trial]) -> Case:
    return made, np.roll(truth, 1, 0), [*trials[-1:], *trials[:-1]]


def _cut_to_another(made: Pixels, truth: Pixels, trials: list[Trial]) -> Case:
    cut = 4 * CHUNK - 3
    return np.concatenate((made[:, :cut], np.roll(made, 1, 0)[:, cut:]), 1), truth, trials


@dataclass(frozen=True)
class Judge:
    """score: scores clips. wrong: turns a right case into a clearly wrong one. more: 1 = more is better."""

    score: Score
    wrong: Callable[[Pixels, Pixels, list[Trial]], Case]
    more: int = 1


JUDGES: dict[str, Judge] = {
    "silhouette": Judge(silhouettes, _another_clip),
    "colour": Judge(colours, _another_clip),
    "kept_ssim": Judge(kept_ssim, _another_clip),
    "kept_psnr": Judge(kept_psnr, _another_clip),
    "picture_ssim": Judge(picture_ssim, _another_clip),
    "picture_psnr": Judge(picture_psnr, _another_clip),
    "first_psnr": Judge(first_psnr, _another_clip),
    "seam": Judge(seams, _cut_to_another, more=-1),
}
