from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from streamvace.system.errors import UserError
from streamvace.video.film.decode import Video, file_info, to_rgba
from streamvace.video.film.source import FileSource, read_frames
from tests.video.helpers import HandClock, next_frame, shade_index, until, write_clip


def test_offline_every_frame_comes_once_and_in_order(counting_clip: Path) -> None:
    frames = list(read_frames(counting_clip, (32, 32)))
    assert [shade_index(pixels) for pixels in frames] == list(range(10))
    assert all(pixels.shape == (32, 32, 4) and np.all(pixels[..., 3] == 255) for pixels in frames)


def test_a_file_says_its_size_rate_and_length(counting_clip: Path) -> None:
    info = file_info(counting_clip)
    assert (info.width, info.height, info.rate, info.frames) == (64, 48, 10.0, 10)


def test_live_each_frame_comes_at_its_own_time_and_the_loop_has_no_gap(
    counting_clip: Path, hand_clock: HandClock
) -> None:
    source = FileSource(counting_clip, (32, 32), clock=hand_clock)
    for tick in range(23):
        hand_clock.move_to(tick / 10)
        frame = next_frame(source)
        assert shade_index(frame.pixels) == tick % 10
        assert frame.captured_ns == round(tick / 10 * 1e9)
        assert frame.sequence == tick
        assert source.poll() is None
    assert source.passes == 2
    assert source.late == source.faults == 0
    source.close()


def test_a_file_that_was_held_up_skips_to_its_time(tmp_path: Path, hand_clock: HandClock) -> None:
    source = FileSource(write_clip(tmp_path / "clip.mp4", 11), (32, 32), clock=hand_clock)
    assert shade_index(next_frame(source).pixels) == 0
    hand_clock.move_to(0.45)
    seen = [shade_index(next_frame(source).pixels)]
    while seen[-1] < 4:
        seen.append(shade_index(next_frame(source).pixels))
    assert 2 not in seen
    assert source.late >= 2
    source.close()


def test_after_a_long_sleep_the_film_goes_on_and_does_not_race(tmp_path: Path, hand_clock: HandClock) -> None:
    source = FileSource(write_clip(tmp_path / "clip.mp4", 11), (32, 32), clock=hand_clock)
    next_frame(source)
    hand_clock.move_to(3600.0)
    for tick in range(6):
        hand_clock.move_to(3600.0 + tick / 10)
        assert shade_index(next_frame(source).pixels) <= 2 + tick  # 1 may have been waiting for its time already
    assert source.late == 0
    source.close()


def test_a_still_picture_is_a_constant_source_with_its_alpha(tmp_path: Path, hand_clock: HandClock) -> None:
    rgba = np.zeros((8, 8, 4), np.uint8)
    rgba[...] = (10, 20, 30, 40)
    path = tmp_path / "still with blanks ü.png"
    path.write_bytes(cv2.imencode(".png", rgba[..., [2, 1, 0, 3]])[1].tobytes())
    source = FileSource(path, (8, 8), clock=hand_clock)
    for tick in range(4):
        hand_clock.move_to(tick / FileSource.STILL_RATE + 0.001)
        frame = next_frame(source)
        assert np.array_equal(frame.pixels, rgba)
        assert frame.sequence == tick
    source.close()
    assert len(list(read_frames(path, (8, 8)))) == 1


def test_a_jpeg_is_a_source_too(tmp_path: Path) -> None:
    path = tmp_path / "still.jpg"
    path.write_bytes(cv2.imencode(".jpg", np.full((32, 32, 3), (0, 0, 200), np.uint8))[1].tobytes())
    (pixels,) = read_frames(path, (16, 16))
    assert np.abs(pixels[..., :3].astype(int) - (200, 0, 0)).max() < 12


def test_frames_of_uneven_length_keep_their_times(tmp_path: Path) -> None:
    path = tmp_path / "uneven.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=100)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for pts in (0, 10, 15, 40):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))
            frame.pts, frame.time_base = pts, Fraction(1, 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    starts = [start for start, _, _ in Video(path).frames()]
    assert starts == pytest.approx([0.0, 0.1, 0.15, 0.4], abs=0.002)


def test_colours_of_a_high_definition_file_come_out_right(tmp_path: Path) -> None:
    path = tmp_path / "hd.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        stream.codec_context.colorspace = 1
        frame = av.VideoFrame.from_ndarray(np.full((720, 1280, 3), (220, 40, 90), np.uint8))
        container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace=1)))
        container.mux(stream.encode())
    _, _, first = next(Video(path).frames())
    assert np.abs(to_rgba(first)[300, 300, :3].astype(int) - (220, 40, 90)).max() <= 3


def test_a_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "dancer.mp4").touch()
    with pytest.raises(UserError, match=r"no file dancr\.mp4 in .*similar there: dancer\.mp4.*check the name"):
        FileSource(tmp_path / "dancr.mp4", (8, 8))


def test_a_file_in_a_missing_folder_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist; check the path"):
        read_frames(tmp_path / "nowhere" / "clip.mp4", (8, 8))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not let a file vanish while it is open")
def test_a_file_that_vanishes_while_it_plays_is_reported_and_comes_back(
    counting_clip: Path, hand_clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileSource, "RETRY_SECONDS", 0.01)
    source = FileSource(counting_clip, (32, 32), clock=hand_clock)
    hidden = counting_clip.rename(counting_clip.with_name("hidden.mp4"))
    for tick in range(10):
        hand_clock.move_to(tick / 10)
        next_frame(source)
    until(lambda: source.faults > 0)
    assert "no file counting.mp4" in source.last_fault
    hidden.rename(counting_clip)
    hand_clock.move_to(1.1)
    next_frame(source)
    source.close()
