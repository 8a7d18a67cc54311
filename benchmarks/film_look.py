"""How well `control_kind auto` tells film from control pictures: `python benchmarks/film_look.py [--clip FILE ...]`.

The pictures are of sources that no threshold was chosen on: photographs of scikit-image, the embedded model's drawn
world, and generated noise and gradients. Each photograph is judged in colour, in black and white, at a quarter of the
light and with a camera's noise; every control that needs no network is made of it and judged too. With `--clip` (can be
repeated), 12 pictures of each film are judged in the same way; `auto` takes a film as film by its first such picture,
and a control picture for one by 24 in a row.

A row is what was judged, what it should be called, and how many were: film, drawn, or too empty to tell.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from common import arguments
from skimage import data

from streamvace.conditioning.controls import CONTROLS
from streamvace.conditioning.controls.base import ControlSettings, three
from streamvace.conditioning.controls.networks import Networks
from streamvace.live.signals.film_look import looks_like_film
from streamvace.records.chunk import Pixels
from streamvace.video.film.source import FileOptions, timed_frames
from streamvace.world.pattern_stream import KINDS, PatternStream

SIZE = (256, 256)
PHOTOGRAPHS = ("astronaut", "camera", "cat", "coffee", "coins", "rocket", "moon", "hubble_deep_field", "retina")
SURFACES = ("brick", "grass", "gravel", "immunohistochemistry", "page", "text")
"""Photographs without an object: surfaces, tissue, printed paper."""
GRAPHICS = ("logo", "horse", "checkerboard", "shepp_logan_phantom")
MADE = ("gray", "edges", "scribble", "depth", "layout")
"""Controls of one picture; `gray` is black-and-white film and called so."""
WORDS = {True: "film", False: "drawn", None: "empty"}

Judged = tuple[str, str, Pixels]
"""Row, what it should be called, picture."""


def photograph(name: str) -> Pixels:
    """One of scikit-image's pictures, cut to a square, uint8 `[H, W, 3]`."""
    picture = np.asarray(getattr(data, name)())
    if picture.dtype != np.uint8:
        picture = np.asarray(np.clip(picture.astype(np.float32), 0, 1) * 255, np.uint8)
    if picture.ndim == 2:
        picture = three(picture)
    side = min(picture.shape[:2])
    top, left = (picture.shape[0] - side) // 2, (picture.shape[1] - side) // 2
    square = np.ascontiguousarray(picture[top : top + side, left : left + side, :3])
    return np.asarray(cv2.resize(square, SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def seen_by_a_camera(what: str, pictures: list[Pixels]) -> Iterator[Judged]:
    """The pictures as cameras see them, and the controls made of them."""
    random = np.random.default_rng(5)
    for picture in pictures:
        grey = three(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8))
        yield f"{what}, colour", "film", picture
        yield f"{what}, black and white", "film", grey
        for name, light in (("colour", picture), ("black and white", grey)):
            yield f"{what}, {name}, a quarter of the light", "film", np.asarray(light * 0.25, np.uint8)
            noise = random.normal(0, 4, light.shape[:2])[..., None]
            yield f"{what}, {name}, noise of a camera", "film", np.asarray((light + noise).clip(0, 255), np.uint8)
    for kind in MADE:
        control = CONTROLS[kind](Networks(Path("no networks")))
        for number, picture in enumerate(pictures):
            made = control.update(picture, number / 16, ControlSettings())
            yield f"{what}, control {kind}", "film" if kind == "gray" else "drawn", made
            if kind == "depth":
                yield f"{what}, control depth, smooth", "drawn", np.asarray(cv2.GaussianBlur(made, (0, 0), 3), np.uint8)


def generated() -> Iterator[Judged]:
    """Gradients, blobs and noise, without colour and with."""
    random = np.random.default_rng(7)
    rows, columns = np.indices(SIZE, np.float32) / SIZE[0]
    for number in range(8):
        turn = number * np.pi / 8
        ramp = np.abs(np.cos(turn) * rows + np.sin(turn) * columns)
        blobs = cv2.resize(random.random((5, 5), np.float32), SIZE, interpolation=cv2.INTER_CUBIC).clip(0, 1)
        tint = random.random(3)
        for name, plane in (("gradient", ramp / ramp.max()), ("soft blobs", blobs)):
            yield f"generated, {name}, grey", "drawn", three(np.asarray(plane * 255, np.uint8))
            yield f"generated, {name}, colour", "drawn", np.asarray(plane[..., None] * tint * 255, np.uint8)
        hard = np.where(blobs > 0.5, 255, 0).astype(np.uint8)
        yield "generated, hard mask", "drawn", three(hard)
        sensor = blobs * 255 + random.normal(0, 4, SIZE)
        yield "generated, depth of a noisy sensor", "drawn", three(np.asarray(sensor.clip(0, 255), np.uint8))


def world() -> Iterator[Judged]:
    """The embedded model's control signals. The show never judges its own pattern; saved as a film, it would be."""
    for kind in KINDS:
        for seed in range(4):
            stream = PatternStream(kind, SIZE, seed)
            for seconds in (1.0, 6.0, 14.0):
                picture = np.ascontiguousarray(stream.frame(seconds)[..., :3])
                yield f"drawn world, {kind}", "drawn", picture


def clips(paths: Iterable[Path]) -> Iterator[Judged]:
    """Twelve pictures of each film."""
    for path in paths:
        shown = islice(timed_frames(path, SIZE, FileOptions()), 12)
        yield from seen_by_a_camera(path.stem, [np.ascontiguousarray(picture[..., :3]) for *_, picture in shown])


def main() -> None:
    """Judge, count, print."""
    parser = arguments(__doc__)
    parser.add_argument("--clip", type=Path, action="append", default=[])
    given = parser.parse_args()
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    every = (
        *seen_by_a_camera("photographs", [photograph(name) for name in PHOTOGRAPHS]),
        *seen_by_a_camera("surfaces", [photograph(name) for name in SURFACES]),
        *(("graphics", "drawn", photograph(name)) for name in GRAPHICS),
        *generated(),
        *world(),
        *clips(given.clip),
    )
    for row, wanted, picture in every:
        counts[row, wanted][WORDS[looks_like_film(picture)]] += 1
    for (row, wanted), found in counts.items():
        wrong = sum(count for word, count in found.items() if word not in (wanted, "empty"))
        said = ", ".join(f"{count} {word}" for word, count in found.items())
        print(f"{row}: should be {wanted}; {said}" + (f"  <- {wrong} wrong" if wrong else ""))


if __name__ == "__main__":
    main()
