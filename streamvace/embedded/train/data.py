"""Training samples, rendered on the fly; a batch depends only on (seed, stage, number).

Rendering at 128 px reaches about 1,800 frames per second and core, so nothing is stored and every sample is new.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, replace
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from streamvace.embedded.train.photographs import Bytes, moving_crop, photographs
from streamvace.embedded.train.shocks import disturbed
from streamvace.model.noise import STEP
from streamvace.world.captions import caption
from streamvace.world.filters import FILTERS, PHOTO, filter_words
from streamvace.world.material_tiles import MATERIALS
from streamvace.world.materials import CELLS, Place, clad
from streamvace.world.scene import FPS, MAX_BODIES, Maps, edges, render, sample_scene
from streamvace.world.styles import COLOURS, compose, paint, rgb, sample_look, sample_materials, tint
from streamvace.world.text import TEXT_LEN, tokens_of

T = TypeVar("T")

SIZE = 128


@dataclass(frozen=True)
class Batch:
    """video, control: uint8 `[B, T, 128, 128, 3]`; mask: uint8 `[B, T, 128, 128]`, 255 = generate.

    tokens: int64 `[B, 24]`. hinted: bool `[B]`, False = no hints for this sample. objects: uint8 `[B, T, 128, 128]`,
    coverage of the objects, which are a small part of the picture but most of the caption. places: int64 `[B, 2]`, of
    the materials, cells down and right.
    """

    video: Bytes
    control: Bytes
    mask: Bytes
    tokens: NDArray[np.int64]
    hinted: NDArray[np.bool_]
    objects: Bytes
    places: NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """One clip; see Batch. words: its caption."""

    video: Bytes
    control: Bytes
    mask: Bytes
    words: str
    hinted: bool
    objects: Bytes
    place: Place = (0, 0)


FILTERED_SHARE = 0.3
"""Share of clips that are photographs or filtered pictures, as from a camera."""
MATERIAL_SHARE = 0.7
"""Share of clips with materials: they are more to learn than all other looks."""
PLAIN_SHARE = 0.7
"""Share of scenes on a material whose background is plain otherwise: a pattern that no control shows bends the texture
in ways that cannot be known."""


def sample_place(rng: np.random.Generator) -> Place:
    """A random part of the materials' tile."""
    down, right = (STEP * int(v) for v in rng.integers(CELLS // STEP, size=2))
    return down, right


def light(maps: Maps) -> Bytes:
    """What the built-in pattern shows of a scene, uint8 `[H, W]`: white objects before a grey pattern."""
    white, black, gray = (rgb(name)[:1] for name in ("white", "black", "gray"))
    return np.ascontiguousarray(paint(maps, "glossy", [white] * MAX_BODIES, (black, gray))[..., 0])


def as_rgb(planes: Bytes) -> Bytes:
    """uint8 `[T, H, W]` -> grey pictures `[T, H, W, 3]`."""
    return np.repeat(planes[..., None], 3, 3)


def grays(video: Bytes) -> Bytes:
    """The brightness of each frame: uint8 `[T, H, W, 3]` -> `[T, H, W]`."""
    return np.stack([np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8) for frame in video])


def scene_clip(rng: np.random.Generator, frames: int, size: int, latest: float) -> Bytes:
    """A random scene in a random look, uint8 `[frames, size, size, 3]`. latest: upper bound of its start in seconds."""
    scene = sample_scene(rng)
    look = sample_look(rng, len(scene.bodies))
    start = float(rng.uniform(0, latest))
    return np.stack([compose(render(scene, start + k / FPS, (size, size)), look) for k in range(frames)])


def depth_picture(maps: list[Maps], rng: np.random.Generator) -> Bytes:
    """Inverse depth as from a depth estimator, uint8 `[T, H, W]`: random range, with or without the background."""
    depth = np.stack([m[1] for m in maps]).astype(np.float32) / 255
    if rng.random() < 0.5:
        depth *= np.clip(np.stack([m[4:].sum(0, dtype=np.int32) for m in maps]).astype(np.float32) / 255, 0, 1)
    depth = np.clip(depth, 0, 1) ** rng.uniform(0.75, 1.3) * rng.uniform(0.8, 1.35)
    return (np.clip(depth, 0, 1) * 255).astype(np.uint8)


def region(maps: list[Maps], rng: np.random.Generator) -> Bytes:
    """A region to regenerate, uint8 `[T, H, W]`: a still one, the surroundings of an object, or everything else."""
    if rng.random() < 0.25:
        span = 2 * int(rng.integers(3, 10)) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (span, span))
        out = np.stack([cv2.dilate((m[4] > 127).astype(np.uint8) * 255, kernel) for m in maps])
        return 255 - out if rng.random() < 0.3 else out
    return np.repeat(still_region(rng)[None], len(maps), 0)


def still_region(rng: np.random.Generator) -> Bytes:
    """An ellipse, a box or a half plane, sometimes with soft borders, uint8 `[H, W]`."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    kind = rng.choice(["ellipse", "box", "half"], p=[0.4, 0.4, 0.2])
    x, y, w, h = (int(v * SIZE) for v in rng.uniform([0.1, 0.1, 0.25, 0.25], [0.9, 0.9, 0.8, 0.8]))
    if kind == "ellipse":
        cv2.ellipse(mask, (x, y), (w // 2 + 8, h // 2 + 8), float(rng.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA)
    elif kind == "box":
        mask[max(0, y - h // 2) : y + h // 2, max(0, x - w // 2) : x + w // 2] = 255
    else:
        cut = int(rng.uniform(0.25, 0.75) * SIZE)
        mask[:, :cut] = 255
        mask = np.ascontiguousarray(np.rot90(mask, int(rng.integers(4))))
    if rng.random() < 0.3:
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(0.8, 3))), np.uint8)
    return mask


def _control(maps: list[Maps], video: Bytes, rng: np.random.Generator) -> tuple[Bytes, Bytes]:
    """A control picture `[T, H, W, 3]` and its mask `[T, H, W]`."""
    everything = np.full(video.shape[:3], 255, np.uint8)
    kind = rng.choice(["depth", "edges", "gray", "light", "inpaint", "extend"], p=[0.36, 0.22, 0.08, 0.14, 0.14, 0.06])
    if kind == "depth":
        return as_rgb(depth_picture(maps, rng)), everything
    if kind == "edges":
        thickness = int(rng.choice([1, 2, 3], p=[0.15, 0.5, 0.35]))
        return as_rgb(np.stack([edges(m, thickness) for m in maps])), everything
    if kind == "gray":
        return as_rgb(grays(video)), everything
    if kind == "light":
        return as_rgb(np.stack([light(m) for m in maps])), everything
    if kind == "extend":
        return still_end(video, rng)
    mask = region(maps, rng)
    if rng.random() < 0.3:  # a control inside the region, the picture outside
        return np.where(mask[..., None] > 127, as_rgb(depth_picture(maps, rng)), video), mask
    return video, mask


def still_end(video: Bytes, rng: np.random.Generator) -> tuple[Bytes, Bytes]:
    """Control and mask that give the clip's first latent frame, sometimes the last; the rest is to be generated."""
    ends = slice(0, 4) if rng.random() < 0.75 else slice(-4, None)
    control, mask = np.full_like(video, 128), np.full(video.shape[:3], 255, np.uint8)
    control[ends], mask[ends] = video[ends], 0
    return control, mask


def camera_control(video: Bytes, rng: np.random.Generator) -> tuple[Bytes, Bytes]:
    """A control that needs only the picture (gray or Canny edges), and its mask."""
    everything = np.full(video.shape[:3], 255, np.uint8)
    gray = grays(video)
    if rng.random() < 0.72:
        return as_rgb(gray), everything
    blurred = [cv2.GaussianBlur(g, (0, 0), 1.0) for g in gray]
    high = float(rng.uniform(90, 170))
    outline = [cv2.dilate(cv2.Canny(b, high / 2, high), np.ones((2, 2), np.uint8)) for b in blurred]
    return as_rgb(np.stack(outline)), everything


def repainted(plain: Bytes, place: Place, rng: np.random.Generator) -> tuple[Bytes, str]:
    """A clip uint8 `[T, H, W, 3]` in a material, in a filter's colours or as it is, and its caption."""
    first, second = (str(c) for c in rng.permutation(list(COLOURS))[:2])
    if rng.random() < MATERIAL_SHARE:
        name = str(rng.choice(list(MATERIALS)))
        colour = first if rng.random() < 0.25 else ""
        return np.stack([clad(frame, name, tint(colour), place) for frame in plain]), f"{colour} {name}".strip()
    name = str(rng.choice([PHOTO, *FILTERS]))
    if name == PHOTO:
        return plain, PHOTO
    return np.stack([FILTERS[name](frame, first, second) for frame in plain]), " ".join(
        filter_words(name, first, second)
    )


def filtered_sample(rng: np.random.Generator, frames: int, start_share: float, pictures: list[Bytes]) -> Sample:
    """A filtered photograph or scene; its control derives from the unfiltered picture."""
    if pictures and rng.random() < 0.7:
        plain = moving_crop(pictures[int(rng.integers(len(pictures)))], frames, SIZE, rng)
        if rng.random() < 0.5:
            plain = np.ascontiguousarray(plain[:, :, ::-1])
    else:
        plain = scene_clip(rng, frames, SIZE, 30)
    if rng.random() < start_share:
        plain = np.concatenate([np.repeat(plain[:1], 3, 0), plain])[:frames]
    place = sample_place(rng)
    video, words = repainted(plain, place, rng)
    control, mask = camera_control(plain, rng)
    if words == PHOTO or rng.random() < 0.15:
        control, mask = video, np.repeat(still_region(rng)[None], frames, 0)
    control = disturbed(control, mask, rng)
    return Sample(video, control, mask, words, True, np.zeros_like(mask), place)


def make_sample(rng: np.random.Generator, frames: int, start_share: float, folder: Path | None) -> Sample:
    """One clip of the procedural world or of photographs.

    start_share: share of clips that start a stream, where the first four frames are equal. folder: more clips beside
    scikit-image's photographs, or None.
    """
    if rng.random() < FILTERED_SHARE:
        return filtered_sample(rng, frames, start_share, photographs(folder))
    scene = sample_scene(rng)
    look, place = sample_look(rng, len(scene.bodies)), sample_place(rng)
    if rng.random() < MATERIAL_SHARE:
        look = sample_materials(rng, look)
        if look.ground and rng.random() < PLAIN_SHARE:
            scene = replace(scene, background=replace(scene.background, kind="plain"))
    start = float(rng.uniform(0, 30))
    flip = bool(rng.random() < 0.5)
    held = 3 if rng.random() < start_share else 0
    maps = []
    for k in range(frames - held):
        planes = render(scene, start + k / FPS, (SIZE, SIZE))
        maps.append(np.ascontiguousarray(planes[:, :, ::-1]) if flip else planes)
    maps = [maps[0]] * held + maps
    painted = [compose(m, look, place) for m in maps[held:]]
    video = np.stack([painted[0]] * held + painted)
    objects = np.stack([m[4:].max(0) for m in maps])
    words = caption(scene, look, start + 0.5 * frames / FPS, flip, rng)
    if rng.random() < 0.10:
        words = ""
    if rng.random() < 0.3:
        blank = np.full_like(video, 128)
        everything = np.full(video.shape[:3], 255, np.uint8)
        return Sample(video, blank, everything, words, bool(rng.random() < 0.4), objects, place)
    control, mask = _control(maps, video, rng)
    return Sample(video, disturbed(control, mask, rng), mask, words, True, objects, place)


@dataclass(frozen=True)
class World:
    """The source of samples.

    source: `module:function`, called with (random generator, frames, start_share, folder); returns a Sample. Set it to
    train on another renderer. frames: of a clip. start_share, folder: see make_sample.
    """

    frames: int
    folder: Path | None = None
    source: str = "streamvace.embedded.train.data:make_sample"
    start_share: float = 0.15


def make_batch(seed: tuple[int, ...], size: int, world: World) -> Batch:
    """One batch, which depends only on the arguments."""
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    module, _, name = world.source.partition(":")
    sample: Callable[..., Sample] = getattr(import_module(module), name)
    samples = [sample(rng, world.frames, world.start_share, world.folder) for _ in range(size)]
    return Batch(
        video=np.stack([s.video for s in samples]),
        control=np.stack([s.control for s in samples]),
        mask=np.stack([s.mask for s in samples]),
        tokens=token_table([s.words for s in samples]),
        hinted=np.array([s.hinted for s in samples]),
        objects=np.stack([s.objects for s in samples]),
        places=np.array([s.place for s in samples], np.int64),
    )


def token_table(prompts: list[str]) -> NDArray[np.int64]:
    """Tokens of prompts, int64 `[B, 24]`."""
    table = np.zeros((len(prompts), TEXT_LEN), np.int64)
    for row, prompt in enumerate(prompts):
        numbers = tokens_of(prompt)
        table[row, : len(numbers)] = numbers
    return table


def rendered_ahead(
    make: Callable[..., T], seed: tuple[int, ...], first: int, *arguments: Any
) -> Generator[T, None, None]:
    """`make((*seed, n), *arguments)` for n = first, first + 1, ..., computed a few ahead in a worker process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        ahead: deque[Future[T]] = deque()
        number = first
        try:
            while True:
                while len(ahead) < 4:
                    ahead.append(pool.submit(make, (*seed, number), *arguments))
                    number += 1
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()
