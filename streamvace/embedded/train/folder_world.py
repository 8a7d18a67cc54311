"""A world made of a folder of clips, for weights of one's own.

In the configuration: `"world": "streamvace.embedded.train.folder_world:sample"`, and the folder as `photographs`.
`name.mp4` is what to paint, `name.txt` its caption (words of the vocabulary), `name.depth.mp4` and `name.edges.mp4`
controls that belong to it, all optional but the clip. Brightness (`gray`), Canny edges and inpainting need no file.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.embedded.train.data import SIZE, Sample, camera_control, still_region
from streamvace.system.errors import UserError

Bytes = NDArray[np.uint8]

CONTROLS = ("depth", "edges")
"""Controls that a file may bring."""
MOST_FRAMES = 600
"""Frames kept of a clip: 30 MB."""


@lru_cache(maxsize=64)
def _frames(path: Path) -> Bytes:
    """The clip's middle square at training size, uint8 `[T, 128, 128, 3]`."""
    capture = cv2.VideoCapture(str(path))
    frames: list[Bytes] = []
    while len(frames) < MOST_FRAMES:
        good, frame = capture.read()
        if not good:
            break
        height, width = frame.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        square = frame[top : top + side, left : left + side, ::-1]
        frames.append(np.asarray(cv2.resize(square, (SIZE, SIZE), interpolation=cv2.INTER_AREA), np.uint8))
    capture.release()
    if not frames:
        raise UserError(f"{path}: no frame can be read")
    return np.stack(frames)


@lru_cache(maxsize=1)
def _clips(folder: Path) -> tuple[Path, ...]:
    names = sorted(path for path in folder.glob("*.mp4") if path.suffixes[-2:-1] not in [[f".{c}"] for c in CONTROLS])
    if not names:
        raise UserError(f"{folder}: no .mp4 clips to learn from")
    return tuple(names)


def _stretch(clip: Bytes, start: int, frames: int) -> Bytes:
    """`frames` frames from `start` on, forth and back where the clip is too short."""
    span = max(1, 2 * (len(clip) - 1))
    places = [(start + k) % span for k in range(frames)]
    return clip[[min(p, span - p) if span > 1 else 0 for p in places]]


def sample(rng: np.random.Generator, frames: int, start_share: float, folder: Path | None) -> Sample:
    """One clip of the folder with one of its controls; see data.make_sample. Raises UserError without clips."""
    if folder is None:
        raise UserError("a world of clips needs --photographs FOLDER")
    clips = _clips(folder)
    path = clips[int(rng.integers(len(clips)))]
    whole = _frames(path)
    start = int(rng.integers(len(whole)))
    held = 3 if rng.random() < start_share else 0

    def cut(clip: Bytes) -> Bytes:
        taken = _stretch(clip, start, frames - held)
        return np.concatenate([np.repeat(taken[:1], held, 0), taken])

    video = cut(whole)
    said = path.with_suffix(".txt")
    words = said.read_text(encoding="utf-8") if said.exists() and rng.random() >= 0.1 else ""
    brought = [file for kind in CONTROLS if (file := path.with_suffix(f".{kind}.mp4")).exists()]
    choice = rng.random()
    if brought and choice < 0.6:
        control, mask = cut(_frames(brought[int(rng.integers(len(brought)))])), np.full(video.shape[:3], 255, np.uint8)
    elif choice < 0.85:
        control, mask = camera_control(video, rng)
    else:
        control, mask = video, np.repeat(still_region(rng)[None], frames, 0)
    return Sample(video, control, mask, words, True, np.zeros_like(mask))
