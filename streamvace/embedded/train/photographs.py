"""Photographs and footage, which resemble a show's camera more than the rendered world does."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

EVERY = 12
"""Every 12th frame of a clip is used; neighbours hardly differ."""
LONGEST = 200
"""Most frames read of a clip."""


def clip_frames(path: Path, most: int) -> Iterator[Bytes]:
    """The first frames of a video file, RGB uint8 `[H, W, 3]`, at most `most`; none if it cannot be read."""
    capture = cv2.VideoCapture(str(path))
    for _ in range(most):
        good, frame = capture.read()
        if not good:
            break
        yield np.asarray(frame[..., ::-1], np.uint8)
    capture.release()


def natural_images(folder: Path | None = None) -> list[Bytes]:
    """scikit-image's bundled photographs if installed, and frames of a folder of clips, each uint8 `[H, W, 3]`."""
    pictures: list[Bytes] = []
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
        pictures += [np.ascontiguousarray(frame) for frame in islice(clip_frames(path, LONGEST), 0, None, EVERY)]
    return [p.astype(np.uint8) for p in pictures]


@lru_cache(maxsize=1)
def photographs(folder: Path | None) -> list[Bytes]:
    """`natural_images`, read once per process."""
    return natural_images(folder)


def moving_crop(picture: Bytes, frames: int, size: int, rng: np.random.Generator) -> Bytes:
    """A random pan, zoom and rotation over a photograph, uint8 `[frames, size, size, 3]`."""
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
