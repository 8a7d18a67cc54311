"""Can pictures be told apart without their colours? A linear classifier on statistics of grey texture.

The judge is simple on purpose. It sees no shapes and no places, so what it tells apart differs at a glance.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from streamvace.records.chunk import Pixels

Floats = NDArray[np.float32]

WAVES: Final = (4.0, 7.0, 12.0, 20.0)
"""Wavelengths of the Gabor filters in pixels, from strokes to stripes."""
ANGLES: Final = 4
"""Directions of each wavelength."""
DECAY: Final = 3e-3
"""Weight decay of the classifier: there are more statistics than pictures of a class to learn them from."""
STEPS: Final = 200
"""Most steps of its training, which converges in fewer."""


@cache
def _filters() -> tuple[tuple[Floats, Floats], ...]:
    """Pairs of even and odd Gabor filters without a mean."""
    pairs = []
    for wave in WAVES:
        for turn in range(ANGLES):
            both = [
                cv2.getGaborKernel((25, 25), 0.45 * wave, np.pi * turn / ANGLES, wave, 0.8, phase)
                for phase in (0, np.pi / 2)
            ]
            even, odd = (((each - each.mean()) / np.abs(each).sum()).astype(np.float32) for each in both)
            pairs.append((even, odd))
    return tuple(pairs)


def statistics(picture: Pixels) -> Floats:
    """Of one picture uint8 `[H, W, 3]`: energies of each wave and direction, directions of slopes, and how grey levels
    and slopes are spread. Mean brightness and contrast do not count."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = (grey - grey.mean()) / (grey.std() + 3)
    found: list[float] = []
    for even, odd in _filters():
        energy = cv2.magnitude(cv2.filter2D(grey, cv2.CV_32F, even), cv2.filter2D(grey, cv2.CV_32F, odd))
        most, middle = np.quantile(energy, (0.95, 0.5))
        found += [np.log(energy.mean() + 1e-3), np.log(energy.std() + 1e-3), np.log((most + 1e-3) / (middle + 1e-2))]
    gx, gy = (cv2.Sobel(grey, cv2.CV_32F, dx, dy) for dx, dy in ((1, 0), (0, 1)))
    slope = cv2.magnitude(gx, gy)
    turns, _ = np.histogram(np.arctan2(gy, gx) % np.pi, 8, (0, np.pi), weights=slope)
    levels, _ = np.histogram(grey, 10, (-2.5, 2.5))
    slopes, _ = np.histogram(np.log(slope + 1e-2), 8, (-4.6, 2.5))
    shares = [turns / (turns.sum() + 1e-6), levels / grey.size, slopes / grey.size]
    return np.concatenate([np.asarray(found), *shares]).astype(np.float32)


def told_apart(classes: Sequence[Sequence[Pixels]]) -> NDArray[np.float64]:
    """Share of the classes that are recognised in each scene that the classifier was not trained on, `[scenes / 2]`.

    classes: for each class, one picture of each scene; the scenes are the same for all. Every second scene is trained
    on, the others are judged. Chance: one in the number of classes.
    """
    numbers = np.stack([np.stack([statistics(each) for each in pictures]) for pictures in classes])  # [K, S, N]
    known, new = numbers[:, ::2], numbers[:, 1::2]
    mean, spread = known.mean((0, 1)), known.std((0, 1)) + 1e-4
    kinds, scenes, _ = known.shape
    weights = _trained(_ready(known, mean, spread), torch.arange(kinds).repeat_interleave(scenes))
    guessed = (_ready(new, mean, spread) @ weights).argmax(1).reshape(kinds, -1)
    return np.asarray((guessed == torch.arange(kinds)[:, None]).double().mean(0))


def _ready(numbers: Floats, mean: Floats, spread: Floats) -> torch.Tensor:
    """`[K, S, N]` -> standardised, with a one for the bias, `[K * S, N + 1]`."""
    flat = torch.from_numpy(((numbers - mean) / spread).reshape(-1, numbers.shape[-1]))
    return torch.cat([flat, torch.ones(len(flat), 1)], 1)


def _trained(numbers: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
    """Weights of a multinomial logistic regression, `[N + 1, K]`."""
    weights = torch.zeros(numbers.shape[1], int(kinds.max()) + 1, requires_grad=True)
    steps = torch.optim.LBFGS([weights], max_iter=STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        steps.zero_grad()
        value = torch.nn.functional.cross_entropy(numbers @ weights, kinds) + DECAY * weights.square().sum()
        value.backward()
        return value

    steps.step(loss)
    return weights.detach()
