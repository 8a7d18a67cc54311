"""Held-out clips and their control pictures."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.embedded.train.data import SIZE, Batch, token_table
from streamvace.embedded.train.photographs import moving_crop
from streamvace.records.chunk import ChunkInput, Pixels
from streamvace.world.captions import caption
from streamvace.world.filters import FILTERS, filter_words
from streamvace.world.scene import FPS, Maps, edges, render, sample_scene
from streamvace.world.styles import COLOURS, Look, compose, sample_look

PLAIN = ChunkInput("")
"""Chunks without options."""
HELD_OUT = 900_000_000
"""First seed of the clips that are never trained on."""
KEPT_BORDER = 32
"""Pixels at each side that inpainting keeps."""
STILL = 3
"""How often a clip's first picture is repeated before it: a stream's first latent frame has a single picture."""
CONTROLS = ("depth", "edges", "gray", "inpaint", "extend", "camera")


@dataclass(frozen=True)
class Trial:
    """A held-out clip from the start of a stream: 4 equal frames, then motion."""

    maps: list[Maps]
    look: Look
    words: str

    def inside(self, frame: int) -> NDArray[np.bool_]:
        """Mask of the objects in output frame number `frame`, `[H, W]`."""
        return np.asarray(self.maps[STILL + frame][4:].max(0) > 127)


def trial(number: int, frames: int, bodies: int = 1) -> Trial:
    """Scene number `number` with its objects inside the picture."""
    rng = np.random.default_rng(HELD_OUT + number)
    while True:
        scene = sample_scene(rng, bodies=bodies)
        look = sample_look(rng, bodies)
        maps = [render(scene, 3.0 + k / FPS, (SIZE, SIZE)) for k in range(frames - STILL)]
        cover = np.stack([m[4 : 4 + bodies] for m in maps[::8]]) > 127
        border = cover[..., 0, :].any() or cover[..., -1, :].any() or cover[..., 0].any() or cover[..., -1].any()
        if not border and cover.mean((2, 3)).min() > 0.02:
            words = caption(scene, look, 3.0 + 0.5 * frames / FPS)
            return Trial([maps[0]] * STILL + maps, look, words)


def as_batch(trials: list[Trial], control: str) -> Batch:
    """A batch with one of CONTROLS. `inpaint`: the border is kept. `extend`: the first picture is given."""
    video = np.stack([[compose(m, t.look) for m in t.maps] for t in trials])
    mask = np.full(video.shape[:4], 255, np.uint8)
    pictures = video
    if control == "inpaint":
        mask[:] = 0
        mask[:, :, KEPT_BORDER:-KEPT_BORDER, KEPT_BORDER:-KEPT_BORDER] = 255
    elif control == "extend":
        mask[:, :4] = 0
        pictures = video.copy()
        pictures[:, 4:] = 128
    else:
        pairs = zip(trials, video, strict=True)
        pictures = np.stack([[_control(m, control, f) for m, f in zip(t.maps, v, strict=True)] for t, v in pairs])
    objects = np.stack([[m[4:].max(0) for m in t.maps] for t in trials])
    tokens = token_table([t.words for t in trials])
    return Batch(video, pictures, mask, tokens, np.ones(len(trials), np.bool_), objects, _nowhere(len(trials)))


def _nowhere(count: int) -> NDArray[np.int64]:
    """Places of clips without materials."""
    return np.zeros((count, 2), np.int64)


def _control(maps: Maps, kind: str, frame: Pixels) -> Pixels:
    if kind == "depth":
        plane = maps[1]
    elif kind == "edges":
        plane = edges(maps, 2)
    else:
        plane = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8)
    return np.repeat(plane[..., None], 3, 2)


def camera_batch(first: int, count: int, frames: int, pictures: list[Pixels]) -> Batch:
    """Held-out pans over photographs, each with one filter, controlled by their own brightness."""
    videos, controls, words = [], [], []
    names = list(FILTERS)
    for number in range(first, first + count):
        rng = np.random.default_rng(HELD_OUT + 20_000 + number)
        plain = moving_crop(pictures[number % len(pictures)], frames - STILL, SIZE, rng)
        plain = np.concatenate([np.repeat(plain[:1], STILL, 0), plain])
        name = names[number % len(names)]
        dark, bright = (str(c) for c in rng.permutation(list(COLOURS))[:2])
        videos.append(np.stack([FILTERS[name](frame, dark, bright) for frame in plain]))
        controls.append(np.stack([_control(np.empty(0, np.uint8), "gray", frame) for frame in plain]))
        words.append(" ".join(filter_words(name, dark, bright)))
    video = np.stack(videos)
    nothing = np.zeros(video.shape[:4], np.uint8)
    everyone = np.ones(count, np.bool_)
    return Batch(video, np.stack(controls), ~nothing, token_table(words), everyone, nothing, _nowhere(count))
