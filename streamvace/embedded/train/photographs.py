"""Photographs and footage: what the camera of a show will bring, beside the rendered world."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

EVERY = 12
"""One frame of so many is taken from a clip: neighbours hardly differ."""
LONGEST = 200
"""Frames read of a clip at most."""


def natural_images(folder: Path | None = None) -> list[Bytes]:
    """Photographs at hand: scikit-image's bundled ones when it is installed, and the frames of a folder of clips."""
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
        capture = cv2.VideoCapture(str(path))
        for number in range(LONGEST):
            good, frame = capture.read()
            if not good:
                break
            if number % EVERY == 0:
                pictures.append(np.ascontiguousarray(frame[..., ::-1]))
        capture.release()
    return [p.astype(np.uint8) for p in pictures]


@lru_cache(maxsize=1)
def photographs(folder: Path | None) -> list[Bytes]:
    """`natural_images`, read once a process."""
    return natural_images(folder)


def moving_crop(picture: Bytes, frames: int, size: int, rng: np.random.Generator) -> Bytes:
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
