"""Animated WebP pictures play like films."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from streamvace.live.inputs.pictures import load_picture
from streamvace.system.errors import UserError
from streamvace.video.film.source import FileSource, clip_info, read_frames
from tests.video.helpers import HandClock, next_frame, shade, shade_index

SIZE = (30, 20)


@pytest.fixture
def animation(tmp_path: Path) -> Path:
    """Four frames of 100, 200, 100 and 100 ms that count by their grey; with alpha, of the left half."""
    frames = [np.full((20, 30, 4), shade(index), np.uint8) for index in range(4)]
    for frame in frames:
        frame[:, 15:, 3] = 255
        frame[:, :15, 3] = 128
    given = cv2.Animation()
    given.frames, given.durations = frames, np.array([100, 200, 100, 100])
    path = tmp_path / "loop.webp"
    assert cv2.imwriteanimation(str(path), given)
    return path


def test_every_frame_comes_once_with_its_alpha(animation: Path) -> None:
    frames = list(read_frames(animation, SIZE))
    assert [shade_index(frame) for frame in frames] == [0, 1, 2, 3]
    assert all((frame[:, :15, 3] == 128).all() and (frame[:, 15:, 3] == 255).all() for frame in frames)
    info = clip_info(animation)
    assert (info.width, info.height, info.frames) == (30, 20, 4)
    assert info.rate == pytest.approx(4 / 0.5)


def test_live_each_frame_has_its_own_time_and_the_loop_has_no_gap(animation: Path, hand_clock: HandClock) -> None:
    source = FileSource(animation, SIZE, clock=hand_clock)
    seen = []
    for moment in (0.0, 0.1, 0.3, 0.4, 0.5, 0.6):
        hand_clock.move_to(moment)
        seen.append(shade_index(next_frame(source).pixels))
    source.close()
    assert seen == [0, 1, 2, 3, 0, 1]


def test_one_that_is_too_large_or_damaged_or_too_new_for_opencv_is_one_line_before_the_start(
    animation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = animation.read_bytes()
    monkeypatch.setattr("streamvace.video.film.animated_webp.MAX_PIXELS", 2399)
    with pytest.raises(UserError, match=r"0 megapixels in all frames.*save it as \.mp4 or \.gif"):
        read_frames(animation, SIZE)
    monkeypatch.setattr("streamvace.video.film.animated_webp.MAX_PIXELS", 2400)
    read_frames(animation, SIZE)
    animation.write_bytes(whole[:40] + bytes(len(whole) - 40))
    with pytest.raises(UserError, match="damaged animated WebP; save it again"):
        read_frames(animation, SIZE)
    animation.write_bytes(whole)
    monkeypatch.delattr(cv2, "imdecodeanimation")
    with pytest.raises(UserError, match=r"needs OpenCV 4\.11 .*pip install -U"):
        read_frames(animation, SIZE)


def test_as_a_still_picture_it_is_refused_with_the_reason(animation: Path) -> None:
    with pytest.raises(UserError, match=r"loop\.webp is animated; save one picture of it as \.png"):
        load_picture(animation)
