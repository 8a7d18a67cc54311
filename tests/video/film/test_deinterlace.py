"""Interlaced films do not comb, and keep their frames and times."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np

from streamvace.video.film.decode import Video, to_rgba
from streamvace.video.film.deinterlace import deinterlaced
from streamvace.video.film.source import timed_frames
from tests.video.film.files import Pixels, film, frame_of

INTERLACED = {"x264-params": "interlaced=1:bff=1"}


def moving_bar(index: int, interlaced: bool) -> Pixels:
    """A white bar that goes 8 pixels a frame to the right; of an interlaced frame, the second field (the even rows)
    is half of that further."""
    pixels = np.full((48, 96, 3), 20, np.uint8)
    pixels[:, 8 * index : 8 * index + 24] = 230
    if interlaced:
        pixels[::2] = np.roll(pixels[::2], 4, axis=1)
    return pixels


def combing(pixels: Pixels) -> float:
    """How much the rows differ from their neighbours, in grey levels."""
    return float(np.abs(np.diff(pixels[8:40, :, 0].astype(int), axis=0)).mean())


def bar_film(path: Path, *, interlaced: bool) -> Path:
    frames = [frame_of(moving_bar(index, interlaced)) for index in range(6)]
    return film(path, frames, options=INTERLACED if interlaced else {})


def test_fields_become_full_frames_at_the_films_own_rate_and_it_is_said(tmp_path: Path) -> None:
    path = bar_film(tmp_path / "tape.mp4", interlaced=True)
    said: list[str] = []
    frames = [pixels for _, _, pixels in timed_frames(path, (96, 48), tell=said.append)]
    assert said == ["tape.mp4 is deinterlaced"]
    assert len(frames) == 6
    assert combing(moving_bar(3, interlaced=True)) > 10
    assert max(combing(frame) for frame in frames[1:-1]) < 2
    left_edges = [int(np.argmax(frame[11, :, 0] > 128)) for frame in frames]
    assert left_edges == [0, 8, 16, 24, 32, 40]
    assert [round(start, 3) for start, _, _ in Video(path).frames()] == [0.0, 0.04, 0.08, 0.12, 0.16, 0.2]


def test_a_progressive_film_passes_unchanged_and_nothing_is_said(tmp_path: Path) -> None:
    path = bar_film(tmp_path / "film.mp4", interlaced=False)
    said: list[str] = []
    shown = [to_rgba(picture) for _, _, picture in Video(path).frames(tell=said.append)]
    assert said == []
    assert [int(np.argmax(each[10, :, 0] > 128)) for each in shown] == [0, 8, 16, 24, 32, 40]


def test_a_film_whose_size_and_kind_change_keeps_every_frame(tmp_path: Path) -> None:
    small = film(tmp_path / "c.mp4", [frame_of(np.zeros((32, 32, 3), np.uint8)) for _ in range(3)], options=INTERLACED)
    parts = [bar_film(tmp_path / f"{kind}.mp4", interlaced=kind) for kind in (False, True)]
    shown = list(deinterlaced(frame for part in (*parts, small) for frame in stored(part)))
    assert [frame.width for frame in shown] == [96] * 12 + [32] * 3


def stored(path: Path) -> list[Any]:
    """The frames as they are in the file."""
    with av.open(str(path)) as container:
        return list(container.decode(video=0))
