"""What a file says of its pixels is followed: alpha, the shape of pixels, colours."""

from __future__ import annotations

import gc
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from streamvace.video.film.decode import Video, file_info, to_rgba
from streamvace.video.film.source import FileSource, read_frames
from tests.video.film.files import film, frame_of
from tests.video.helpers import HandClock, next_frame


def matte(index: int) -> np.ndarray:
    """A red picture whose alpha is a bar that moves."""
    rgba = np.full((48, 64, 4), (200, 30, 60, 0), np.uint8)
    rgba[:, 16 * index : 16 * index + 16, 3] = 255
    return rgba


@pytest.mark.parametrize("codec", ["libvpx-vp9", "libvpx"])
def test_a_webm_with_alpha_has_its_alpha_live_and_offline(tmp_path: Path, codec: str, hand_clock: HandClock) -> None:
    frames = [frame_of(matte(index), "yuva420p") for index in range(4)]
    path = film(tmp_path / "matte.webm", frames, codec, options={"auto-alt-ref": "0"}, metadata={"alpha_mode": "1"})
    offline = list(read_frames(path, (64, 48)))
    assert len(offline) == 4
    for index, frame in enumerate(offline):
        assert np.abs(frame[..., 3].astype(int) - matte(index)[..., 3]).mean() < 4
        assert np.abs(frame[..., :3].astype(int) - (200, 30, 60)).mean() < 8
    source = FileSource(path, (64, 48), clock=hand_clock)
    assert np.array_equal(next_frame(source).pixels, offline[0])
    source.close()


def test_a_webm_without_alpha_is_opaque(tmp_path: Path) -> None:
    path = film(tmp_path / "plain.webm", [frame_of(matte(0)[..., :3])], "libvpx-vp9")
    (frame,) = read_frames(path, (64, 48))
    assert (frame[..., 3] == 255).all()


@pytest.mark.parametrize(
    ("shape", "width"), [(Fraction(64, 45), 102), (Fraction(8, 9), 64), (Fraction(2), 144), (Fraction(1), 72)]
)
def test_pixels_become_square_and_it_is_said(tmp_path: Path, shape: Fraction, width: int) -> None:
    disc = np.full((48, 72, 3), 20, np.uint8)
    rows, columns = np.ogrid[:48, :72]
    disc[((columns - 36) * float(shape)) ** 2 + (rows - 24) ** 2 < 16**2] = 230
    path = film(tmp_path / "dv.mp4", [frame_of(disc)], sample_aspect_ratio=shape)
    said: list[str] = []
    ((_, _, picture),) = Video(path).frames(tell=said.append)
    shown = to_rgba(picture)
    assert shown.shape == (48, width, 4)
    bright = shown[..., 0] > 128
    assert bright[24].sum() == pytest.approx(bright[:, width // 2].sum(), abs=2)
    assert (file_info(path).width, file_info(path).height) == (width, 48)
    stated = f"dv.mp4 is scaled from pixels of {shape.numerator}:{shape.denominator} to square ones"
    assert said == ([stated] if shape != 1 else [])


def test_a_shape_that_no_camera_has_is_ignored(tmp_path: Path) -> None:
    path = film(tmp_path / "odd.mp4", [frame_of(np.zeros((48, 72, 3), np.uint8))], sample_aspect_ratio=Fraction(200))
    assert file_info(path).width == 72


def test_what_is_done_to_a_film_is_logged_once_however_often_it_loops(
    tmp_path: Path, hand_clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    pictures = [frame_of(np.zeros((48, 72, 3), np.uint8)) for _ in range(2)]
    path = film(tmp_path / "dv.mp4", pictures, sample_aspect_ratio=Fraction(2))
    source = FileSource(path, (64, 48), clock=hand_clock)
    for tick in range(8):
        hand_clock.move_to(tick / 25)
        next_frame(source)
    assert source.passes >= 3
    source.close()
    assert caplog.messages == ["source dv.mp4: dv.mp4 is scaled from pixels of 2:1 to square ones"]


def test_a_film_leaves_no_frame_in_memory_and_starts_no_thread_for_each(tmp_path: Path) -> None:
    path = film(tmp_path / "long.mp4", [frame_of(np.full((48, 64, 3), 20 * index, np.uint8)) for index in range(12)])
    me = psutil.Process()
    gc.collect()
    gc.disable()
    try:
        threads = [me.num_threads() for _ in read_frames(path, (64, 48))]
        held = [each for each in gc.get_objects() if isinstance(each, av.VideoFrame)]
    finally:
        gc.enable()
    assert len(threads) == 12
    assert held == []
    assert max(threads) == threads[0]
