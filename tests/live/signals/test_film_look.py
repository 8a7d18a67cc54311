"""Film is told from pictures that were drawn to steer the model."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from streamvace.conditioning.controls import CONTROLS
from streamvace.conditioning.controls.base import ControlSettings
from streamvace.conditioning.controls.networks import Networks
from streamvace.live.signals.film_look import looks_like_film
from streamvace.records.chunk import Pixels
from streamvace.video.film.source import FileOptions, timed_frames
from streamvace.world.pattern_stream import PatternStream

SIZE = (256, 256)
CLIPS = Path(__file__).parents[4] / "shared" / "clips"
"""Real footage, where a checkout has it."""


def film(path: Path, frames: int) -> list[Pixels]:
    shown = islice(timed_frames(path, SIZE, FileOptions()), frames)
    return [np.ascontiguousarray(picture[..., :3]) for *_, picture in shown]


def photograph(light: float = 1.0, tint: tuple[float, float, float] = (1.0, 0.7, 0.45)) -> Pixels:
    """Something like a camera's picture: soft shapes, fine texture and noise, in the light of a lamp."""
    random = np.random.default_rng(3)
    soft = cv2.resize(random.integers(30, 230, (9, 9)).astype(np.float32), SIZE, interpolation=cv2.INTER_CUBIC)
    fine = cv2.GaussianBlur(random.normal(0, 24, SIZE).astype(np.float32), (0, 0), 1.2)
    grey = (soft + fine + random.normal(0, 3, SIZE))[..., None] * np.array(tint) * light
    return np.asarray(grey.clip(0, 255), np.uint8)


def poses() -> Pixels:
    """Limbs in OpenPose's colours."""
    picture = np.zeros((*SIZE, 3), np.uint8)
    random = np.random.default_rng(0)
    for _ in range(18):
        colour = [int(value) for value in random.integers(0, 256, 3)]
        start, end = random.integers(50, 210, (2, 2)).tolist()
        cv2.line(picture, start, end, colour, 5, cv2.LINE_AA)
    return picture


def labels() -> Pixels:
    """A map of classes: large areas of one colour each."""
    random = np.random.default_rng(1)
    areas = cv2.resize(random.integers(0, 9, (5, 5), dtype=np.uint8), SIZE, interpolation=cv2.INTER_NEAREST)
    return np.asarray(random.integers(0, 256, (9, 3)), np.uint8)[areas]


def test_a_cameras_picture_is_film_in_any_light() -> None:
    assert [looks_like_film(photograph(light)) for light in (1.0, 0.5, 0.25)] == [True] * 3


@pytest.mark.parametrize("tint", [(1, 1, 1), (1.05, 1, 0.95)])
def test_a_black_and_white_picture_of_a_camera_is_film_in_any_light(tint: tuple[float, float, float]) -> None:
    assert [looks_like_film(photograph(light, tint)) for light in (1.0, 0.5, 0.25)] == [True] * 3


def smooth(grey: Pixels, blur: float = 9.0) -> Pixels:
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), blur), np.uint8)


def outlines(blur: float) -> Pixels:
    """Lines on black as detailed as a camera's picture can give."""
    edges = CONTROLS["edges"](Networks(Path("no such folder")))
    lines = edges.update(photograph(), 0.0, ControlSettings(edge_sensitivity=1.0))
    return smooth(lines, blur) if blur else lines


def halftone() -> Pixels:
    return np.where(photograph(tint=(1, 1, 1)) > np.indices(SIZE).sum(0)[..., None] % 8 * 32, 255, 0).astype(np.uint8)


def few_tones() -> Pixels:
    return photograph(tint=(1, 1, 1)) // 32 * 32


@pytest.mark.parametrize(
    "drawn",
    [poses(), labels(), smooth(photograph(tint=(1, 1, 1))), outlines(0), outlines(1.5), halftone(), few_tones()],
)
def test_drawn_pictures_are_not_film(drawn: Pixels) -> None:
    assert looks_like_film(drawn) is False


@pytest.mark.parametrize("kind", ["light", "depth", "edges", "scene"])
def test_no_pattern_is_film(kind: str) -> None:
    stream = PatternStream(kind, SIZE, 0)
    assert not any(looks_like_film(stream.frame(seconds)[..., :3]) for seconds in (1.0, 6.0, 14.0))


@pytest.mark.parametrize("empty", [np.zeros((*SIZE, 3), np.uint8), np.full((*SIZE, 3), (200, 40, 90), np.uint8)])
def test_a_picture_that_shows_nothing_yet_decides_nothing(empty: Pixels) -> None:
    assert looks_like_film(empty) is None
    assert looks_like_film(photograph(), np.zeros(SIZE, np.uint8)) is None


def test_only_the_generated_region_is_judged() -> None:
    picture = poses()
    picture[:, 128:] = photograph()[:, 128:]
    left = np.zeros(SIZE, np.uint8)
    left[:, :128] = 255
    assert looks_like_film(picture, left) is False
    assert looks_like_film(picture, 255 - left) is True


@pytest.mark.skipif(not CLIPS.is_dir(), reason="needs the real clips")
@pytest.mark.parametrize("clip", ["boxing-1280x720", "kitten-512x768", "person-1050x1500", "walk-832x480"])
def test_real_footage_is_film_with_and_without_colour_and_no_control_made_of_it_is(clip: str) -> None:
    pictures = film(CLIPS / f"{clip}.mp4", 12)
    assert all(looks_like_film(picture) for picture in pictures)
    for kind, wanted in {"gray": True, "edges": False, "scribble": False, "flow": False, "layout": False}.items():
        control = CONTROLS[kind](Networks(Path("no such folder")))
        made = [control.update(each, number / 16, ControlSettings()) for number, each in enumerate(pictures)]
        assert any(looks_like_film(picture) for picture in made) == wanted, kind
    assert not any(looks_like_film(smooth(picture)) for picture in made)
